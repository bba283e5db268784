/** `npm run phone -- <address>`: a phone in the terminal. It signs in, shows what is asked, approves or denies. */
import { stdin, stdout } from 'node:process';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { PhoneClient } from './phone-client.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: 'string' },
    password: { type: 'string' },
    approve: { type: 'boolean' },
    deny: { type: 'boolean' },
  },
});
const [address] = positionals;
if (address === undefined || !URL.canParse(address)) {
  console.error(
    'Usage: npm run phone -- <address in the code> [--name alice --password wonderland] [--approve | --deny]',
  );
  process.exit(2);
}

const terminal = createInterface({ input: stdin, output: stdout });
try {
  const phone = new PhoneClient();
  const name = values.name ?? (await terminal.question('Name: '));
  const password = values.password ?? (await terminal.question('Password: '));
  await phone.signIn(address, name, password);
  const asked = await phone.scan(address);
  console.log(`\nSign in to ${asked.client.name}${asked.client.host ? ` (${asked.client.host})` : ''}?`);
  console.log(`  account  ${asked.account}`);
  console.log(`  screen   ${[asked.browser.name, asked.browser.system].filter(Boolean).join(' on ') || 'unknown'}`);
  console.log(`  shown    ${asked.shownAgo} s ago`);
  console.log(`  scopes   ${asked.scopes.join(', ')}`);
  const approves = values.approve ?? (values.deny ? false : await asks('Did you start this yourself? Approve [y/N] '));
  const done = await phone.decide(approves ? 'approve' : 'deny');
  console.log(done.checkCode ? `\nType these digits into the browser: ${done.checkCode}` : `\nIt is ${done.state}.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  terminal.close();
}

async function asks(question: string): Promise<boolean> {
  return /^y(es)?$/i.test((await terminal.question(question)).trim());
}
