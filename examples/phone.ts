/** `npm run phone -- <address>`: a phone in the terminal. It signs in, shows the request, and approves or denies it. */
import { stdin, stdout } from 'node:process';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { PhoneClient } from './phone-client.ts';

const USAGE = 'Usage: npm run phone -- <address in the code> [--name alice --password wonderland] [--approve | --deny]';

const { values, positionals } = readArguments();
const [address, another] = positionals;
if (address === undefined || another !== undefined) endWith(USAGE);
if (values.approve && values.deny) endWith(`Choose one of --approve and --deny. ${USAGE}`);
if (!isAddressOfCode(address)) {
  endWith(
    `"${address}" is not the address of a code. Copy the link below the code on the QR page; it begins with http and has /qr/ in it, such as http://localhost:3000/qr/…`,
  );
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

/** Reads the command line. Ends the process with status 2 at a flag that does not exist. */
function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        name: { type: 'string' },
        password: { type: 'string' },
        approve: { type: 'boolean' },
        deny: { type: 'boolean' },
      },
    });
  } catch (error) {
    return endWith(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  }
}

function isAddressOfCode(given: string): boolean {
  if (!URL.canParse(given)) return false;
  const { protocol, pathname } = new URL(given);
  return ['http:', 'https:'].includes(protocol) && /\/qr\/[\w.~-]{20,}$/.test(pathname);
}

function endWith(complaint: string): never {
  console.error(complaint);
  process.exit(2);
}

async function askYesNo(question: string): Promise<boolean> {
  return /^y(es)?$/i.test((await terminal.question(question)).trim());
}
