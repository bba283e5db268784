import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { Agent } from '../support/agent.ts';
import { Child } from '../support/child.ts';
import { sizeOfSuite } from '../support/full-suite.ts';
import { freePort } from '../support/server.ts';
import { ENVIRONMENT, quickCommandOf, ROOT } from './example-program.ts';

/** Matches the last line that the example prints when it starts. */
const READY = /initial access token/;

describe('npm start', () => {
  let child: Child | undefined;

  afterEach(() => child?.end('SIGKILL'));

  /** Starts the example, and waits until it is ready. */
  const start = async (environment: Record<string, string>, ...flags: string[]): Promise<Child> => {
    const env = { ...ENVIRONMENT, ...environment };
    child = await Child.start('the example', [...quickCommandOf('examples/start.ts'), ...flags], {
      ready: READY,
      cwd: ROOT,
      env,
    });
    return child;
  };

  for (const signal of sizeOfSuite({ short: ['SIGINT'], full: ['SIGTERM', 'SIGINT'] } as const)) {
    it(`prints its addresses, serves them, and ends on ${signal} while a browser waits`, async () => {
      const [port, rpPort, appPort] = [await freePort(), await freePort(), await freePort()];
      const program = await start({ PORT: `${port}`, RP_PORT: `${rpPort}`, APP_PORT: `${appPort}` });
      const output = program.lines.join('\n');
      expect(output).to.include(`http://localhost:${rpPort}`).and.to.include('npm run phone');
      expect(output).to.include(`http://localhost:${port}/reg`);
      expect(output).to.include(`Console:  open http://localhost:${port}/console as alice`);
      expect(output).to.include(`App:      open http://localhost:${appPort}`);
      expect((await fetch(`http://localhost:${appPort}`)).headers.get('content-type')).to.include('text/html');

      const agent = new Agent();
      const page = await agent.follow(`http://localhost:${rpPort}/login`);
      expect(page.url.origin).to.equal(`http://localhost:${port}`);
      const stream = await agent.stream(`${page.url}/qr/events`);
      expect((await stream.ticket()).state).to.equal('waiting');

      const ended = program.end(signal);
      let last = '';
      for (let block = await stream.block(); block !== undefined; block = await stream.block()) last = block;
      expect(last).to.match(/^retry: \d+$/);
      expect(await ended).to.deep.equal({ code: 0, signal: null });
    });
  }

  it('shows the example’s theme with --theme, and a short code', async () => {
    const [port, rpPort] = [await freePort(), await freePort()];
    await start({ PORT: `${port}`, RP_PORT: `${rpPort}` }, '--theme');
    const page = await new Agent().follow(`http://localhost:${rpPort}/login`);
    expect(page.text).to.include('Copperfield Bank').and.include('since 1849').and.include('--accent: #9a3b12;');
    expect(page.text).to.include('Scan this with the bank’s app or your camera');
    expect(page.text)
      .to.include(`localhost:${port}/qr/scan`)
      .and.match(/data-short-code>[\w-]{9}</);
  });

  it('prints an error if a port is in use', async () => {
    const taken = createServer();
    const port = await freePort();
    taken.listen(port, 'localhost');
    await once(taken, 'listening');
    try {
      const complaint = await failure(quickCommandOf('examples/start.ts'), {
        PORT: `${port}`,
        RP_PORT: `${await freePort()}`,
      });
      expect(complaint).to.match(new RegExp(`^Port ${port} cannot be used`));
    } finally {
      taken.close();
    }
  });

  it('prints an error if a variable holds no port number', async () => {
    const read = alone(`import { portFrom } from './examples/ports.ts'; portFrom('PORT', 3000);`);
    for (const command of sizeOfSuite({ short: [read], full: [read, quickCommandOf('examples/start.ts')] })) {
      for (const PORT of ['http', '70000']) {
        const complaint = await failure(command, { PORT });
        expect(complaint).to.equal(`PORT must be a port number from 0 to 65535, not "${PORT}". For example: PORT=3000`);
      }
    }
  });

  it('prints an error with a valid example if ISSUER is not an address', async () => {
    const read = `import { issuerFrom } from './examples/issuer.ts'; issuerFrom('ISSUER', 'http://localhost:3000');`;
    const examples = {
      'localhost:5300': 'http://localhost:5300',
      'id.example.com': 'http://id.example.com',
      'ftp://id.example.com/oidc?a=b': 'http://id.example.com/oidc',
      '': 'http://localhost:3000',
    };
    for (const [ISSUER, example] of Object.entries(examples)) {
      expect(await failure(alone(read), { ISSUER })).to.equal(
        `ISSUER must be an address that begins with http:// or https://, not "${ISSUER}". For example: ISSUER=${example}`,
      );
    }
  });

  it('prints an error for an unknown flag, and for a flag that npm did not pass on', async () => {
    const read = `import { flagsFrom } from './examples/flags.ts'; flagsFrom('npm start', ['lan', 'theme']);`;
    expect(await failure([...alone(read), '--', 'start.ts', '--thme'], {}, 2)).to.equal(
      'There is no flag "--thme". There are --lan, --theme: npm start -- --lan',
    );
    expect(await failure(alone(read), { npm_config_theme: 'true' }, 2)).to.equal(
      'npm has kept the flag --theme for itself: write npm start -- --theme',
    );
  });
});

/** Returns the command that runs only this part of the example, because the whole takes ten times as long to load. */
function alone(program: string): string[] {
  return [process.execPath, '--import', './scripts/typescript.mjs', '--input-type=module', '-e', program];
}

/** Runs a program, and expects this exit code. @returns the last line of its standard error */
async function failure(
  command: string[],
  environment: Record<string, string>,
  status = 1,
): Promise<string | undefined> {
  const [file = '', ...args] = command;
  const env = { ...ENVIRONMENT, ...environment };
  const child = spawn(file, args, { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'pipe'] });
  const [output, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect(code).to.equal(status);
  return output.trim().split('\n').at(-1);
}
