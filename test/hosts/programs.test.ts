import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { listen } from '../../examples/hosts/host.ts';
import { commandOf, ENVIRONMENT, ROOT } from '../examples/example-program.ts';
import { Child } from '../support/child.ts';
import { sizeOfSuite } from '../support/full-suite.ts';
import { freePort } from '../support/server.ts';
import { BrowserVisitor, PhoneVisitor, type Site } from '../support/visitors.ts';
import { trusting } from './hosts.ts';

/** Each example runs as a separate process. `frameworks.test.ts` tests the frameworks themselves in this process. */
const FRAMEWORKS = sizeOfSuite({ short: ['hono'], full: ['koa', 'express', 'fastify', 'hono'] });

describe('the hosts of the examples, as programs', () => {
  let child: Child | undefined;

  /** Runs a program. @returns the line that it prints when it listens */
  async function run(name: string, env: Record<string, string>): Promise<string> {
    const ready = / is beside /;
    child = await Child.start(name, commandOf(`examples/hosts/${name}.ts`), {
      ready,
      cwd: ROOT,
      env: { ...ENVIRONMENT, ...env },
    });
    return child.firstLine(ready);
  }

  /** Stops the program. @returns its exit code */
  async function stop(): Promise<unknown> {
    return (await child?.end('SIGTERM'))?.code;
  }

  afterEach(stop);

  for (const name of FRAMEWORKS) {
    it(`serve the provider and a demo RP to sign in to: ${name}.ts`, async () => {
      const [port, rpPort] = [await freePort(), await freePort()];
      const line = await run(name, { PORT: `${port}`, RP_PORT: `${rpPort}` });
      const [, issuer = '', hello = '', rp = ''] = /^(\S+) is beside (\S+); sign in at (\S+)$/.exec(line) ?? [];
      expect(await (await fetch(hello)).text()).to.match(/^Hello from /);

      const browser = new BrowserVisitor(siteOf(issuer));
      const phone = new PhoneVisitor(siteOf(issuer));
      browser.at = (await browser.agent.follow(`${rp}/login`)).url.href;
      const code = await browser.code();
      expect(code.startsWith(`http://localhost:${port}/oidc/qr/`)).to.equal(true);
      await phone.signInAt(code);
      await phone.scan(code);
      const { checkCode } = await phone.approve();
      // The phone has also given consent.
      const arrived = await browser.agent.follow(`${(await browser.finish(`${checkCode}`)).json().redirectTo}`);

      expect(arrived.url.href).to.equal(`${rp}/`);
      expect(arrived.text).to.include('Alice Liddell');
      expect(await stop()).to.equal(0);
    });
  }

  it('serve the provider over TLS: nginx.ts', async () => {
    const port = await freePort();
    const line = await run('nginx', { PORT: `${port}` });
    const [, issuer = '', hello = '', certificate = ''] = /^(\S+) is beside (\S+); trust (\S+)$/.exec(line) ?? [];
    const network = trusting(await readFile(certificate, 'utf8'));
    expect(await (await network(hello)).text()).to.equal('Hello from Koa');
    const { issuer: announced } = (await new BrowserVisitor(siteOf(issuer), network).configuration()).serverMetadata();
    expect(announced).to.equal(`https://localhost:${port}/oidc`);
    expect(await stop()).to.equal(0);
  });

  it('print one line that says what to install if nginx is missing', async () => {
    const complaint = await failure('nginx', { PORT: `${await freePort()}`, NGINX_PATH: '/nowhere/nginx' });
    expect(complaint).to.equal('/nowhere/nginx is missing. Install: sudo apt-get install nginx-light');
  });

  it('print one line if the port is taken', async () => {
    const taken = await listen(createServer(), 0);
    const { port } = taken.address() as AddressInfo;
    try {
      expect(await failure('express', { PORT: `${port}` })).to.match(/^listen EADDRINUSE/);
    } finally {
      taken.close();
      await once(taken, 'close');
    }
  });
});

/** Runs a program that fails. @returns the last line that it prints to standard error */
async function failure(name: string, env: Record<string, string>): Promise<string | undefined> {
  const [file = '', ...args] = commandOf(`examples/hosts/${name}.ts`);
  const child = spawn(file, args, { cwd: ROOT, env: { ...ENVIRONMENT, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  const [output, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect(code).to.equal(1);
  return output.trim().split('\n').at(-1);
}

/** Returns the site of an issuer. Only the demo RP needs the client's secret and callback, so they are empty here. */
function siteOf(issuer: string): Site {
  return { issuer, client: { id: 'demo-rp', secret: '', callback: '' } };
}
