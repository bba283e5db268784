/**
 * Tests the provider on other runtimes, and in a host that replaces globals (Next.js), each in a separate process. The
 * runtimes and Next.js are installed on demand.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadSecrets } from '../../examples/secrets.ts';
import { commandOf, ENVIRONMENT, ROOT } from '../examples/example-program.ts';
import { Child } from '../support/child.ts';
import { ROOT as FOLDER } from '../support/packed.ts';
import { freePort } from '../support/server.ts';
import { BrowserVisitor, PhoneVisitor, type Site } from '../support/visitors.ts';
import { install } from './install.ts';
import { installRuntime, RUNTIME_NAMES } from './runtimes.ts';

interface Program {
  readonly command: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * The programs: each function installs what its program needs, and returns the command that starts it. All programs
 * serve the provider at /oidc, and the demo RP.
 */
const PROGRAMS: Readonly<Record<string, () => Program>> = {
  ...Object.fromEntries(RUNTIME_NAMES.map((name) => [name, () => programIn(name)])),
  'a Next.js app': () => ({
    command: commandOf('test/hosts/next-program.ts'),
    env: { NEXT_APP: buildNextApp(), NODE_ENV: 'production' },
  }),
};

function programIn(name: string): Program {
  const { command, env } = installRuntime(name);
  return { command: [...command, 'examples/hosts/koa.ts'], env };
}

/** Builds the example's Next.js app, unless it is built already. Returns its folder. */
function buildNextApp(): string {
  const example = join(FOLDER, 'examples/hosts/next');
  const folder = install('next', JSON.parse(readFileSync(join(example, 'package.json'), 'utf8')).dependencies);
  for (const part of ['app', 'server.js']) cpSync(join(example, part), join(folder, part), { recursive: true });
  if (existsSync(join(folder, '.next/BUILD_ID'))) return folder;
  const env = { ...ENVIRONMENT, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' };
  const program = join(folder, 'node_modules/next/dist/bin/next');
  execFileSync(process.execPath, [program, 'build'], { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] });
  return folder;
}

/** The longest time for an installation and a build on a busy machine, in milliseconds. */
const INSTALL_MS = 600_000;

for (const [name, prepare] of Object.entries(PROGRAMS)) {
  describe(`the provider in ${name}`, () => {
    let child: Child;
    let site: Site;
    let origin: string;

    before(async () => {
      const { command, env = {} } = prepare();
      // Make the example's keys in Node: on a busy machine, Deno did not return from making them.
      loadSecrets();
      const [port, rpPort] = [await freePort(), await freePort()];
      child = await Child.start(name, command, {
        ready: / is beside /,
        cwd: ROOT,
        env: { ...ENVIRONMENT, ...env, PORT: `${port}`, RP_PORT: `${rpPort}` },
      });
      origin = `http://localhost:${port}`;
      site = {
        issuer: `${origin}/oidc`,
        client: { id: 'demo-rp', secret: '', callback: `http://localhost:${rpPort}` },
      };
    }).timeout(INSTALL_MS);

    after(() => child?.end('SIGKILL'));

    it("keeps the host's own route", async () => {
      expect(await (await fetch(`${origin}/hello`)).text()).to.match(/^Hello from /);
    });

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
      // The phone has also given consent.
      const arrived = await browser.agent.follow(`${(await browser.finish(`${checkCode}`)).json().redirectTo}`);
      expect(arrived.text).to.include('Alice Liddell');
    });

    it('answers a long poll without news at most once a second, even after an event stream', async () => {
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

    it('ends on a signal while a browser waits', async () => {
      const browser = new BrowserVisitor(site);
      browser.at = (await browser.agent.follow(`${site.client.callback}/login`)).url.href;
      const events = await browser.events();
      await events.ticket('waiting');
      expect(await child.end('SIGTERM')).to.deep.equal({ code: 0, signal: null });
    });
  });
}
