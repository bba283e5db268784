import { expect } from 'chai';
import { Agent } from '../support/agent.ts';
import { Child } from '../support/child.ts';
import { freePort } from '../support/server.ts';
import { commandOf, ENVIRONMENT, quickCommandOf, ROOT } from './example-program.ts';

/** Matches the last line that the example prints when it starts, and finds the initial access token. */
const READY = /initial access token (\S+)$/;
/** Matches the last line of `npm run attack`. */
const SUMS = /^held: (\d+), GOT IN: (\d+), not tried here: (\d+), BROKE: (\d+)$/;

interface ExampleAddress {
  readonly issuer: string;
  readonly token: string;
}

describe('npm run attack', () => {
  let example: Child | undefined;

  afterEach(() => example?.end('SIGKILL'));

  const start = async (...flags: string[]): Promise<ExampleAddress> => {
    const [port, rpPort] = [await freePort(), await freePort()];
    example = await Child.start('the example', [...quickCommandOf('examples/start.ts'), ...flags], {
      ready: READY,
      cwd: ROOT,
      env: { ...ENVIRONMENT, PORT: `${port}`, RP_PORT: `${rpPort}`, LOG_LEVEL: 'silent', LIMITS: 'off' },
    });
    const [, token = ''] = READY.exec(example.lines.at(-1) ?? '') ?? [];
    return { issuer: `http://localhost:${port}`, token };
  };
  /** Tries the attacks with this word in their names. @returns the sums: held, got in, not tried, broke */
  const attack = async ({ issuer, token }: ExampleAddress, word: string): Promise<number[]> => {
    const program = await Child.start(
      'the attacks',
      [...commandOf('test/security/attack-server.ts'), issuer, token, word],
      { ready: SUMS, cwd: ROOT, env: ENVIRONMENT },
    );
    const [, ...sums] = SUMS.exec(program.lines.at(-1) ?? '') ?? [];
    return sums.map(Number);
  };

  it('asks the example for its settings, and tries only the attacks for these settings', async () => {
    const started = await start();
    const { json } = await new Agent().get(`${started.issuer}/account/features`);
    expect(json()).to.deep.equal({ passkeys: true, shortCode: true, limits: false, proxy: false });
    const [held = 0, gotIn, untried = 0, broke] = await attack(started, 'short-code:');
    expect([gotIn, broke]).to.deep.equal([0, 0]);
    expect(held).to.be.above(0);
    expect(untried).to.be.above(0);
  });

  it('tries each attack on a provider with the setting that it needs, if all settings are on', async () => {
    const started = await start('--everything');
    for (const family of ['short-code:', 'limits: repeats', 'enrolment:']) {
      const [held = 0, ...others] = await attack(started, family);
      expect(others, family).to.deep.equal([0, 0, 0]);
      expect(held, family).to.be.above(0);
    }
  });

  it('needs the initial access token to get a provider with other settings', async () => {
    const { issuer } = await start('--everything');
    for (const headers of [{}, { authorization: 'Bearer anything' }] as Record<string, string>[]) {
      const { status } = await new Agent().post(`${issuer}/settings`, { json: {}, headers });
      expect(status).to.equal(401);
    }
  });
});
