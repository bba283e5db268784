/** Serves a relying party at a free port, and registers it at the provider as a deployment would. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ClientMetadata } from 'oidc-provider';
import { Agent } from '../support/agent.ts';
import type { World } from '../support/world.ts';

export interface Credentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface RunningRp {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** Registers a client (OpenID Connect Dynamic Client Registration 1.0). @throws Error if the provider refuses */
export async function register(world: World, metadata: Partial<ClientMetadata>): Promise<Credentials> {
  const token = await new world.provider.InitialAccessToken({}).save();
  const answer = await new Agent().post(`${world.issuer}/reg`, {
    headers: { authorization: `Bearer ${token}` },
    json: metadata,
  });
  if (answer.status !== 201) throw new Error(`the provider does not register this: ${answer.text}`);
  const { client_id, client_secret } = answer.json();
  return { clientId: String(client_id), clientSecret: String(client_secret) };
}

/** Starts an RP. It is made after its URL is known, because it must register that URL. */
export function host(make: (url: string) => Promise<RequestListener>): Promise<RunningRp> {
  return listen(createServer(), 'http://localhost', make);
}

/** Starts an RP with TLS, on another site than the provider. */
export function hostSecurely(make: (url: string) => Promise<RequestListener>): Promise<RunningRp> {
  const pem = makeCertificate();
  return listen(createTlsServer({ key: pem, cert: pem }), 'https://127.0.0.1', make);
}

async function listen(
  server: ReturnType<typeof createServer>,
  origin: string,
  make: (url: string) => Promise<RequestListener>,
): Promise<RunningRp> {
  server.listen(0, new URL(origin).hostname);
  await once(server, 'listening');
  const url = `${origin}:${(server.address() as AddressInfo).port}`;
  server.on('request', await make(url));
  return {
    url,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Returns a private key and a certificate for it, in one PEM. */
function makeCertificate(): string {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '-'];
  const certificate = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  return execFileSync('openssl', ['req', '-x509', '-batch', ...curve, ...certificate], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}
