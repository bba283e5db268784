import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect } from 'chai';
import { Agent } from '../support/agent.ts';
import { freePort } from '../support/server.ts';

describe('npm start', function () {
  this.timeout(60_000);
  let child: ChildProcess | undefined;

  afterEach(() => {
    child?.kill('SIGKILL');
  });

  /** Starts it, and reads until it has said everything. */
  const start = async (environment: Record<string, string>, ...flags: string[]): Promise<string> => {
    child = spawn(process.execPath, ['--import', './scripts/typescript.mjs', 'examples/start.ts', ...flags], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stderr?.resume();
    for await (const chunk of child.stdout ?? []) {
      output += chunk;
      if (output.includes('initial access token')) break;
    }
    return output;
  };

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`says what to open, serves it, and ends on ${signal} although a browser waits`, async () => {
      const [port, rpPort] = [await freePort(), await freePort()];
      const output = await start({ PORT: `${port}`, RP_PORT: `${rpPort}` });
      expect(output).to.include(`http://localhost:${rpPort}`).and.to.include('npm run phone');
      expect(output).to.include(`http://localhost:${port}/reg`);

      const agent = new Agent();
      const page = await agent.follow(`http://localhost:${rpPort}/login`);
      expect(page.url.origin).to.equal(`http://localhost:${port}`);
      const stream = await agent.stream(`${page.url}/qr/events`);
      expect((await stream.ticket()).state).to.equal('waiting');

      const ended = once(child as ChildProcess, 'exit');
      child?.kill(signal);
      let last = '';
      for (let block = await stream.block(); block !== undefined; block = await stream.block()) last = block;
      expect(last).to.match(/^retry: \d+$/);
      expect(await ended).to.deep.equal([0, null]);
    });
  }

  it('wears the example’s theme with --theme, and lets people type the code', async () => {
    const [port, rpPort] = [await freePort(), await freePort()];
    await start({ PORT: `${port}`, RP_PORT: `${rpPort}` }, '--theme');
    const page = await new Agent().follow(`http://localhost:${rpPort}/login`);
    expect(page.text).to.include('Copperfield Bank').and.include('since 1849').and.include('theme.css');
    expect(page.text).to.include('Scan this with the bank’s app or your camera');
    expect(page.text)
      .to.include(`localhost:${port}/qr/scan`)
      .and.match(/data-short-code>[\w-]{9}</);
  });

  it('says so where a port is no port, or is taken', async () => {
    const port = await freePort();
    const taken = createServer().listen(port, 'localhost');
    await once(taken, 'listening');
    for (const environment of [{ PORT: 'http' }, { PORT: '70000' }, { PORT: `${port}` }]) {
      await start({ RP_PORT: `${await freePort()}`, ...environment });
      if (child?.exitCode === null) await once(child, 'exit');
      expect(child?.exitCode).to.equal(1);
    }
    taken.close();
  });
});
