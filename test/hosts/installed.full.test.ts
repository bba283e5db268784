/** Hosts and runtimes that are installed on demand: NestJS 11, Express 4, Deno and Bun. */
import { copyFileSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Provider } from 'oidc-provider';
import { type Host, type HostOptions, listen, mountPath, stop } from '../../examples/hosts/host.ts';
import { makeExample } from '../../examples/provider.ts';
import type { QrLogin } from '../../src/index.ts';
import { ROOT } from '../examples/example-program.ts';
import { Child } from '../support/child.ts';
import { ROOT as FOLDER } from '../support/packed.ts';
import { freePort } from '../support/server.ts';
import { BrowserVisitor, PhoneVisitor, type Site } from '../support/visitors.ts';
import { behavesLikeAHost, useHost } from './host-behaviour.ts';
import { startHost } from './hosts.ts';
import { importFrom, install } from './install.ts';
import { installRuntime, RUNTIME_NAMES } from './runtimes.ts';

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
  behavesLikeAHost('NestJS', '/oidc', host);
});

describe('the provider at /oidc of an app in NestJS 11 on Fastify', () => {
  const host = useHost(() => startHost((options) => startNest(options, 'fastify'), '/oidc'));
  behavesLikeAHost('NestJS', '/oidc', host);
});

describe('the provider at /oidc of an app in Express 4', () => {
  const host = useHost(() => startHost(startExpress4, '/oidc'));
  behavesLikeAHost('Express 4', '/oidc', host);
});

for (const name of RUNTIME_NAMES) {
  describe(`the provider in ${name}`, () => {
    let child: Child;
    let site: Site;

    before(async () => {
      const { command, env } = installRuntime(name);
      const [port, rpPort] = [await freePort(), await freePort()];
      child = await Child.start(name, [...command, 'examples/hosts/koa.ts'], {
        ready: / is beside /,
        cwd: ROOT,
        env: { ...env, PORT: `${port}`, RP_PORT: `${rpPort}` },
      });
      const issuer = `http://localhost:${port}/oidc`;
      site = { issuer, client: { id: 'demo-rp', secret: '', callback: `http://localhost:${rpPort}` } };
    });

    after(() => child?.end('SIGKILL'));

    it('signs a user in with a phone, and shows every step on an event stream with security headers', async () => {
      const browser = new BrowserVisitor(site);
      const phone = new PhoneVisitor(site);
      browser.at = (await browser.agent.follow(`${site.client.callback}/login`)).url.href;
      const events = await browser.events();
      expect(events.response.headers.get('content-type')).to.equal('text/event-stream; charset=utf-8');
      expect(events.response.headers.get('content-security-policy')).to.include("default-src 'none'");
      await events.ticket('waiting');
      const code = await browser.code();
      await phone.signInAt(code);
      await phone.scan(code);
      await events.ticket('scanned');
      const { checkCode } = await phone.approve();
      await events.ticket('approved');
      events.close();
      const consent = await browser.agent.follow(`${(await browser.finish(`${checkCode}`)).json().redirectTo}`);
      const granted = await browser.post(`${consent.url}/consent`, {});
      const arrived = await browser.agent.follow(`${granted.json().redirectTo}`);
      expect(arrived.text).to.include('Alice Liddell');
    });

    it('answers a long poll without news at most once a second, after an event stream as well', async () => {
      const browser = new BrowserVisitor(site);
      browser.at = (await browser.agent.follow(`${site.client.callback}/login`)).url.href;
      const events = await browser.events();
      const { version } = await events.ticket('waiting');
      events.close();
      const polls: number[] = [];
      const began = performance.now();
      while (performance.now() - began < 3_000) {
        await browser.agent.get(`${browser.at}/qr?after=${version}`);
        polls.push(performance.now() - began);
      }
      expect(polls.length).to.be.at.most(5);
    });
  });
}
