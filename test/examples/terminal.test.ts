import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { expect } from 'chai';
import jsqr from 'jsqr';
import { phoneClient } from '../../examples/phone-session.ts';
import { terminalClient } from '../../examples/terminal-sign-in.ts';
import { eventually } from '../support/until.ts';
import { PhonePerson, World } from '../support/world.ts';
import { ENVIRONMENT, quickCommandOf, ROOT } from './example-program.ts';

describe('the sign-in in the terminal', () => {
  let child: ChildProcessWithoutNullStreams;
  let output: string;

  afterEach(() => child?.kill('SIGKILL'));

  const start = (...args: string[]): void => {
    const [file = '', ...more] = quickCommandOf('examples/terminal.ts');
    child = spawn(file, [...more, ...args], { cwd: ROOT, env: ENVIRONMENT });
    output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  };
  const see = async (pattern: RegExp): Promise<readonly string[]> => {
    await eventually(`${pattern}`, () => pattern.test(output));
    return output.match(pattern) ?? [];
  };
  const exit = async (): Promise<number | null> => child.exitCode ?? (await once(child, 'exit'))[0];
  const withTerminal = (verdict: 'allow' | 'check code', act: (world: World) => Promise<void>): Promise<void> =>
    World.during(
      { clients: [terminalClient()], qrLogin: { assess: () => verdict, consent: () => 'phone', shortCode: true } },
      act,
    );

  it('shows a code that a camera can read, follows the phone, and gets its tokens', () =>
    withTerminal('allow', async (world) => {
      start(world.issuer);
      const [, address = ''] = await see(/or open (\S+)/);
      await see(/or type the backup code [\w-]{9} at/);
      expect(readBlocks(output)).to.equal(address);
      const phone = await new PhonePerson(world).signIn();
      await phone.scan(address);
      await see(/Scanned\. Look at your phone/);
      await phone.approve();
      await see(/You are signed in as Alice Liddell\./);
      expect(await exit()).to.equal(0);
    }));

  it('asks for the digits of the phone, again after wrong ones', () =>
    withTerminal('check code', async (world) => {
      start(world.issuer);
      const [, address = ''] = await see(/or open (\S+)/);
      const phone = await new PhonePerson(world).signIn();
      await phone.scan(address);
      const { checkCode } = (await phone.approve()).json();
      await see(/6-digit number on your phone: /);
      const wrong = `${(Number(checkCode) + 1) % 1_000_000}`.padStart(6, '0');
      child.stdin.write(`${wrong}\n`);
      await see(/That is not the number on your phone\./);
      child.stdin.write(`${String(checkCode).slice(0, 3)} ${String(checkCode).slice(3)}\n`);
      await see(/You are signed in as Alice Liddell\./);
      expect(await exit()).to.equal(0);
    }));

  it('shows the number that the user chooses on the phone, here a phone that is a terminal program as well', () =>
    World.during(
      {
        clients: [terminalClient(), phoneClient()],
        qrLogin: { assess: () => 'check code', checkCodeEntry: 'tap', consent: () => 'phone' },
      },
      async (world) => {
        start(world.issuer);
        const [, address = ''] = await see(/or open (\S+)/);
        const [file = '', ...args] = quickCommandOf('examples/phone.ts');
        const flags = ['--name', 'alice', '--password', 'wonderland', '--approve'];
        const phone = spawn(file, [...args, address, ...flags], { cwd: ROOT, env: ENVIRONMENT });
        const [, number = ''] = await see(/Tap this number on your phone: (\d\d)/);
        phone.stdin.write(`${number}\n`);
        await see(/You are signed in as Alice Liddell\./);
        expect(await exit()).to.equal(0);
      },
    ));

  it('says that the phone has declined', () =>
    withTerminal('allow', async (world) => {
      start(world.issuer);
      const [, address = ''] = await see(/or open (\S+)/);
      const phone = await new PhonePerson(world).signIn();
      await phone.scan(address);
      await phone.decide('deny');
      await see(/The sign-in was declined on the phone\./);
      expect(await exit()).to.equal(1);
    }));

  it('explains the mistake in an address', async () => {
    start('localhost:3000');
    expect(await exit()).to.equal(2);
    await see(/Usage: npm run terminal/);
  });
});

/** Reads the code from half-block characters. A terminal has a dark background, so a block is a light pixel. */
function readBlocks(text: string): string | undefined {
  const rows = stripVTControlCharacters(text)
    .split('\n')
    // The last row is only the lower edge of the code's background.
    .filter((line) => /^[█▀▄ ]{20,}$/.test(line) && !/^▀+$/.test(line));
  const width = Math.max(...rows.map((row) => row.length));
  const scale = 4;
  const isDark = (x: number, y: number): boolean => {
    const block = rows[y >> 1]?.[x] ?? ' ';
    return block === '█' || block === (y % 2 === 0 ? '▀' : '▄');
  };
  const [w, h] = [(width + 8) * scale, (rows.length * 2 + 8) * scale];
  const data = new Uint8ClampedArray(w * h * 4).fill(255);
  for (let y = 0; y < rows.length * 2 * scale; y++) {
    for (let x = 0; x < width * scale; x++) {
      const at = ((y + 4 * scale) * w + x + 4 * scale) * 4;
      if (isDark(Math.floor(x / scale), Math.floor(y / scale))) data.fill(0, at, at + 3);
    }
  }
  return jsqr.default(data, w, h)?.data;
}
