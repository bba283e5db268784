/** Starts the hosts of `examples/hosts` for tests. */
import { readFile } from 'node:fs/promises';
import * as undici from 'undici';
import { Accounts } from '../../examples/accounts.ts';
import * as express from '../../examples/hosts/express.ts';
import * as fastify from '../../examples/hosts/fastify.ts';
import * as hono from '../../examples/hosts/hono.ts';
import type { HostOptions, StartHost } from '../../examples/hosts/host.ts';
import * as koa from '../../examples/hosts/koa.ts';
import * as nginx from '../../examples/hosts/nginx.ts';
import { makeSecrets } from '../../examples/secrets.ts';
import { CLIENT_ID, CLIENT_SECRET, RP_CALLBACK, testClient } from '../fixtures/test-client.ts';
import { sizeOfSuite } from '../support/full-suite.ts';
import { freePort } from '../support/server.ts';
import type { Site } from '../support/visitors.ts';

export const HOSTS: Readonly<Record<string, StartHost>> = {
  Koa: koa.start,
  Express: express.start,
  Fastify: fastify.start,
  Hono: hono.start,
};

/** Options that differ from the options in the examples. */
export type Special = Pick<HostOptions, 'qrLogin'>;

/**
 * Returns the paths at which the provider is mounted in this framework. The short suite tests the root path only in
 * Koa.
 */
export function pathsIn(name: string): readonly string[] {
  return sizeOfSuite({ short: name === 'Koa' ? ['/', '/oidc'] : ['/oidc'], full: ['/', '/oidc'] });
}

export interface VisitedHost extends Site {
  readonly origin: string;
  /** `fetch` that trusts the host's certificate. */
  readonly network: typeof fetch;
  readonly stop: () => Promise<void>;
}

/** All hosts share these, because it takes a while to generate an RSA key and to hash passwords. */
const secrets = makeSecrets();
const accounts = Accounts.demo();

export async function startHost(start: StartHost, path: string, more: Special = {}): Promise<VisitedHost> {
  const { site, options } = await optionsFor('http', path);
  const { stop } = await start({ ...options, ...more });
  return { ...site, network: fetch, stop: onlyOnce(stop) };
}

/**
 * Starts a host behind nginx. nginx treats the loopback address as its load balancer, so that a test can set a client's
 * address with `X-Real-IP`.
 */
export async function startBehindNginx(host: StartHost, path: string, more: Special = {}): Promise<VisitedHost> {
  const { site, options } = await optionsFor('https', path);
  const { certificateFile, stop } = await nginx.start({ ...options, ...more, host, loadBalancer: '127.0.0.1' });
  return { ...site, network: trusting(await readFile(certificateFile, 'utf8')), stop: onlyOnce(stop) };
}

/** Returns a function that stops a host once, because the clean-up hook also stops hosts that a test has stopped. */
export function onlyOnce(stop: () => Promise<void>): () => Promise<void> {
  let stopping: Promise<void> | undefined;
  return () => {
    stopping ??= stop();
    return stopping;
  };
}

export async function optionsFor(
  scheme: string,
  path: string,
): Promise<{ site: Site & { origin: string }; options: HostOptions }> {
  const port = await freePort();
  const origin = `${scheme}://localhost:${port}`;
  const issuer = path === '/' ? origin : origin + path;
  return {
    site: { issuer, origin, client: { id: CLIENT_ID, secret: CLIENT_SECRET, callback: RP_CALLBACK } },
    options: {
      issuer,
      port,
      secrets,
      accounts: await accounts,
      clients: [testClient(CLIENT_ID, { client_name: 'Test app' })],
    },
  };
}

/**
 * Returns a `fetch` that trusts a certificate. Node's own `fetch` has no such option, but undici's takes a dispatcher.
 */
export function trusting(ca: string): typeof fetch {
  const dispatcher = new undici.Agent({ connect: { ca } });
  const trustingFetch = (url: undici.RequestInfo, init?: undici.RequestInit): Promise<undici.Response> =>
    undici.fetch(url, { ...init, dispatcher });
  return trustingFetch as unknown as typeof fetch;
}
