import { execFile } from 'node:child_process';
import { expect } from 'chai';
import { phoneClient } from '../../examples/phone-session.ts';
import { UNKNOWN_CODE } from '../support/codes.ts';
import { inFullSuite } from '../support/full-suite.ts';
import { freePort } from '../support/server.ts';
import { until } from '../support/until.ts';
import { BrowserPerson, World } from '../support/world.ts';
import { ENVIRONMENT, quickCommandOf, ROOT } from './example-program.ts';

interface ProcessResult {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

function phone(...parameters: string[]): Promise<ProcessResult> {
  return new Promise((resolve) => {
    const [file = '', ...args] = quickCommandOf('examples/phone.ts');
    const child = execFile(
      file,
      [...args, ...parameters],
      // The time after which a hanging program is ended. It is below Mocha's time-out, so that the failure shows the
      // program's output.
      { timeout: 50_000, cwd: ROOT, env: ENVIRONMENT },
      (_error, output, errors) => resolve({ code: child.exitCode, output, errors }),
    );
    child.stdin?.end();
  });
}

const ALICE = ['--name', 'alice', '--password', 'wonderland'];

describe('the phone in the terminal', () => {
  let world: World;
  let browser: BrowserPerson;

  before(async () => {
    world = await World.start({ clients: [phoneClient()] });
  });

  beforeEach(async () => {
    browser = new BrowserPerson(world);
    await browser.start();
  });

  after(() => world?.stop());

  it('signs in, shows the request, and approves', async () => {
    const { code, output, errors } = await phone(await browser.code(), ...ALICE, '--approve');
    expect(errors).to.equal('');
    expect(code).to.equal(0);
    expect(output).to.include('Sign in to Test app (rp.localhost:9)?');
    expect(output).to.include('Alice Liddell').and.to.include('Chrome on Windows').and.to.include('openid, profile');
    expect(output).to.include('It is approved.');
    expect((await browser.tokens(await browser.arrive())).claims()?.sub).to.equal('a11ce');
  });

  it('signs in and denies', async () => {
    const { code, output } = await phone(await browser.code(), ...ALICE, '--deny');
    expect(code).to.equal(0);
    expect(output).to.include('It is denied.');
    expect((await browser.ticket()).state).to.equal('denied');
  });

  it('shows the check code', async () => {
    await World.during({ clients: [phoneClient()], qrLogin: { assess: () => 'check code' } }, async (other) => {
      const careful = new BrowserPerson(other);
      await careful.start();
      const { output } = await phone(await careful.code(), ...ALICE, '--approve');
      const [, checkCode = ''] = /number into the browser: (\d{6})/.exec(output) ?? [];
      expect((await careful.finish(checkCode)).status).to.equal(200);
    });
  });

  it('waits until the browser is signed in if it has the flag --watch', async () => {
    const result = phone(await browser.code(), ...ALICE, '--approve', '--watch');
    await until(async () => (await browser.ticket()).state === 'approved');
    await browser.arrive();
    const { code, output } = await result;
    expect(output).to.include('The sign-in is approved.\nThe sign-in is finished.\n');
    expect(code).to.equal(0);
  });

  inFullSuite(() => {
    it('signs in again if the request demands it, and continues with the same ticket', async () => {
      await browser.start({ prompt: 'login' });
      const { output, errors } = await phone(await browser.code(), ...ALICE, '--approve');
      expect(errors).to.equal('');
      expect(output).to.include('It is approved.');
      expect((await browser.tokens(await browser.arrive(), { maxAge: 30 })).claims()?.sub).to.equal('a11ce');
    });
  });

  it('prints the error, and exits with code 1', async () => {
    const wrong = await phone(await browser.code(), '--name', 'alice', '--password', 'looking-glass', '--approve');
    expect(wrong).to.deep.include({ code: 1, errors: 'Name or password is wrong.\n' });
    const dead = await phone(`${world.issuer}/qr/${UNKNOWN_CODE}`, ...ALICE, '--approve');
    expect(dead.code).to.equal(1);
    expect(dead.errors).to.match(/^There is no such sign-in/);
    expect((await browser.ticket()).state).to.equal('waiting');
  });

  it('prints its usage if it has no address, or a flag that does not exist', async () => {
    for (const parameters of [[], ['--yes', await browser.code()], [await browser.code(), 'twice']]) {
      const { code, errors } = await phone(...parameters);
      expect(code).to.equal(2);
      expect(errors)
        .to.match(/^Usage: npm run phone/m)
        .and.not.include('    at ');
    }
  });

  it('explains the form of an address if it gets one that is not the address of a code', async () => {
    for (const address of ['localhost:3000/qr/x', world.issuer, browser.at, `${world.issuer}/qr/scan`]) {
      const { code, errors } = await phone(address, ...ALICE, '--approve');
      expect(code).to.equal(2);
      expect(errors).to.include(`"${address}" is not the address of a code. Copy the link below the code`);
    }
  });

  it('reports that no server answers at the address, or that the server that answers is no provider', async () => {
    const nothing = `http://localhost:${await freePort()}`;
    const { code, errors } = await phone(`${nothing}/qr/${UNKNOWN_CODE}`, ...ALICE, '--approve');
    expect(code).to.equal(1);
    expect(errors).to.equal(`Nothing answers at ${nothing}. Is the provider running, and is the port right?\n`);
    const other = `${world.issuer}/other/qr/${UNKNOWN_CODE}`;
    const { errors: complaint } = await phone(other, ...ALICE, '--approve');
    expect(complaint).to.equal(`${world.issuer}/other is no provider. Copy the link below the code again.\n`);
  });
});
