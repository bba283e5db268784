/** Tests the hosts that are installed on demand: NestJS 11 and Express 4. */
import { copyFileSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import type { Provider } from 'oidc-provider';
import { type Host, type HostOptions, listen, mountPath, stop } from '../../examples/hosts/host.ts';
import { makeExample } from '../../examples/provider.ts';
import type { QrLogin } from '../../src/index.ts';
import { ROOT as FOLDER } from '../support/packed.ts';
import { testHost, useHost } from './host-behaviour.ts';
import { startHost } from './hosts.ts';
import { importFrom, install } from './install.ts';

const NEST = join(FOLDER, 'examples/hosts/nest');

type StartNest = (
  provider: Provider,
  qr: QrLogin,
  options: { path: string; port: number; platform: string },
) => Promise<{ server: Server; stop: () => Promise<void> }>;

type Express4 = () => RequestListener & Express4App;

interface Express4App {
  get: (path: string, handler: (request: unknown, response: { send: (text: string) => void }) => void) => void;
  use: (path: string, handler: RequestListener) => void;
}

async function startNest(options: HostOptions, platform: string): Promise<Host> {
  const { dependencies } = JSON.parse(readFileSync(join(NEST, 'package.json'), 'utf8'));
  const folder = install('nest', dependencies);
  copyFileSync(join(NEST, 'nest.js'), join(folder, 'nest.js'));
  const { startNest: start } = (await importFrom(folder, './nest.js')) as { startNest: StartNest };
  const { provider, qr } = makeExample(options);
  const { server, stop } = await start(provider, qr, {
    path: mountPath(options.issuer),
    port: options.port,
    platform,
  });
  return { server, provider, qr, stop };
}

async function startExpress4(options: HostOptions): Promise<Host> {
  const folder = install('express-4', { express: '4.22.3' });
  const { default: express } = (await importFrom(folder, 'express')) as unknown as { default: Express4 };
  const { provider, qr } = makeExample(options);
  const app = express();
  app.get('/hello', (_request, response) => response.send('Hello from Express 4'));
  app.use(mountPath(options.issuer), provider.callback());
  const server = await listen(createServer(app), options.port);
  return { server, provider, qr, stop: () => stop(server, qr) };
}

describe('the provider at /oidc of an app in NestJS 11 on Express', () => {
  const host = useHost(() => startHost((options) => startNest(options, 'express'), '/oidc'));
  testHost('NestJS', '/oidc', host);
});

describe('the provider at /oidc of an app in NestJS 11 on Fastify', () => {
  const host = useHost(() => startHost((options) => startNest(options, 'fastify'), '/oidc'));
  testHost('NestJS', '/oidc', host);
});

describe('the provider at /oidc of an app in Express 4', () => {
  const host = useHost(() => startHost(startExpress4, '/oidc'));
  testHost('Express 4', '/oidc', host);
});
