/** `npm run phone -- <address>`: a phone in the terminal. It signs in, shows the request, and approves or denies it. */
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
  const ticket = await phone.scan(address);
  console.log(`\nSign in to ${ticket.client.name}${ticket.client.host ? ` (${ticket.client.host})` : ''}?`);
  console.log(`  account  ${ticket.account}`);
  console.log(`  device   ${[ticket.browser.name, ticket.browser.system].filter(Boolean).join(' on ') || 'unknown'}`);
  console.log(`  shown    ${ticket.shownAgo} s ago`);
  console.log(`  scopes   ${ticket.scopes.join(', ')}`);
  const approves = values.approve ?? (values.deny ? false : await askYesNo('Did you start this? Approve [y/N] '));
  const done = await phone.decide(approves ? 'approve' : 'deny');
  console.log(done.checkCode ? `\nType this number into the browser: ${done.checkCode}` : `\nIt is ${done.state}.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  terminal.close();
}

async function askYesNo(question: string): Promise<boolean> {
  return /^y(es)?$/i.test((await terminal.question(question)).trim());
}
