/** The hosts of `examples/hosts`, started where a test can visit them. */
import { readFile } from 'node:fs/promises';
import * as undici from 'undici';
import * as express from '../../examples/hosts/express.ts';
import * as fastify from '../../examples/hosts/fastify.ts';
import * as hono from '../../examples/hosts/hono.ts';
import type { HostOptions, StartHost } from '../../examples/hosts/host.ts';
import * as koa from '../../examples/hosts/koa.ts';
import * as nginx from '../../examples/hosts/nginx.ts';
import { makeSecrets } from '../../examples/secrets.ts';
import { QuickAccounts } from './quick-accounts.ts';
import { freePort } from './server.ts';
import type { Site } from './visitors.ts';

export const HOSTS: Readonly<Record<string, StartHost>> = {
  Koa: koa.start,
  Express: express.start,
  Fastify: fastify.start,
  Hono: hono.start,
};

/** What is not as in the examples. */
export type Special = Pick<HostOptions, 'qrLogin'>;

export const PATHS = ['/', '/oidc'] as const;

export interface VisitedHost extends Site {
  readonly origin: string;
  /** `fetch` that trusts the host's certificate. */
  readonly network: typeof fetch;
  readonly stop: () => Promise<void>;
}

/** Making an RSA key takes a while: one is enough for all tests. */
const secrets = makeSecrets();

export async function startHost(start: StartHost, path: string, more: Special = {}): Promise<VisitedHost> {
  const { site, options } = await optionsFor('http', path);
  const { stop } = await start({ ...options, ...more });
  return { ...site, network: fetch, stop };
}

/** nginx, its load balancer, and whoever says in `X-Real-IP` that they are elsewhere, all are on this machine. */
export async function startBehindNginx(host: StartHost, path: string, more: Special = {}): Promise<VisitedHost> {
  const { site, options } = await optionsFor('https', path);
  const { certificateFile, stop } = await nginx.start({ ...options, ...more, host, loadBalancer: '127.0.0.1' });
  return { ...site, network: trusting(await readFile(certificateFile, 'utf8')), stop };
}

async function optionsFor(
  scheme: string,
  path: string,
): Promise<{ site: Site & { origin: string }; options: HostOptions }> {
  const port = await freePort();
  const origin = `${scheme}://localhost:${port}`;
  const issuer = path === '/' ? origin : origin + path;
  const client = {
    id: 'test-rp',
    secret: 'a secret that only this test knows',
    callback: 'http://rp.localhost:9/callback',
  };
  return {
    site: { issuer, origin, client },
    options: {
      issuer,
      port,
      secrets,
      accounts: await QuickAccounts.demo(),
      clients: [
        {
          client_id: client.id,
          client_secret: client.secret,
          client_name: 'Test app',
          redirect_uris: [client.callback],
        },
      ],
    },
  };
}

/** Node's own `fetch` takes no certificates; undici's is the same one with a dispatcher. */
export function trusting(ca: string): typeof fetch {
  const dispatcher = new undici.Agent({ connect: { ca } });
  const trustingFetch = (url: undici.RequestInfo, init?: undici.RequestInit): Promise<undici.Response> =>
    undici.fetch(url, { ...init, dispatcher });
  return trustingFetch as unknown as typeof fetch;
}
