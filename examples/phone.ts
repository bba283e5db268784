/** `npm run phone -- <address>`: a phone in the terminal. It signs in, shows the request, and approves or denies it. */
import { stdin, stdout } from 'node:process';
import { createInterface } from 'node:readline/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Phone, type Requirement, type Ticket, type TicketView } from '../src/phone/index.ts';
import { PhoneSession, type SignInParameters } from './phone-session.ts';

const USAGE =
  'Usage: npm run phone -- <address in the code> [--name alice --password wonderland] [--approve | --deny] [--watch]';

const { values, positionals } = readArguments();
const [address, another] = positionals;
if (address === undefined || another !== undefined) endWith(USAGE);
if (values.approve && values.deny) endWith(`Choose one of --approve and --deny. ${USAGE}`);
const issuer = issuerOf(address);
if (issuer === undefined) {
  endWith(
    `"${address}" is not the address of a code. Copy the link below the code on the QR page; it begins with http and has /qr/ in it, such as http://localhost:3000/qr/…`,
  );
}

const terminal = createInterface({ input: stdin, output: stdout });
try {
  const session = await PhoneSession.open(issuer);
  const name = values.name ?? (await terminal.question('Name: '));
  const password = values.password ?? (await terminal.question('Password: '));
  await session.signIn(name, password);
  const phone = new Phone({ issuer, accessToken: session.accessToken, signer: session.signer });
  const ticket = await phone.scan(address);
  show(ticket.asked);
  const approves = values.approve ?? (values.deny ? false : await askYesNo('Did you start this? Approve [y/N] '));
  const signInAgain = (parameters: SignInParameters): Promise<void> => session.signIn(name, password, parameters);
  const { state, checkCode } = approves ? await approve(ticket, signInAgain) : await ticket.deny();
  console.log(checkCode ? `\nType this number into the browser: ${checkCode}` : `\nIt is ${state}.`);
  if (values.watch) for await (const later of ticket.watch()) console.log(`The sign-in is ${later.state}.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  terminal.close();
}

function show({ client, account, browser, shownAgo, scopes, action }: TicketView): void {
  const from = `${client.name}${client.host ? ` (${client.host})` : ''}`;
  console.log(action ? `\n${from} asks: ${action.title}?\n${action.details}` : `\nSign in to ${from}?`);
  console.log(`  account  ${account.name}`);
  console.log(`  device   ${[browser.name, browser.system].filter(Boolean).join(' on ') || 'unknown'}`);
  console.log(`  shown    ${Math.round(shownAgo)} s ago`);
  console.log(`  scopes   ${scopes.map((scope) => scope.name).join(', ')}`);
}

/** Approves, with everything that the request and the deployment demand besides a tap. */
async function approve(ticket: Ticket, signInAgain: (parameters: SignInParameters) => Promise<void>) {
  const { requirement, challenge } = ticket.asked;
  if (requirement !== undefined && !['account', 'enrolled'].includes(requirement.kind)) {
    // The times of sign-ins are whole seconds, and the new sign-in must be later than the first one.
    await pause(1_000);
    await signInAgain(parametersFor(requirement));
    await ticket.refresh();
  }
  const { numbers } = ticket.asked;
  const match = numbers && (await terminal.question(`Which number is on the other device: ${numbers.join(', ')}? `));
  if (challenge === undefined) return ticket.approve({ match });
  if ('question' in challenge) {
    return ticket.approve({ match, proof: await terminal.question(`${challenge.question} `) });
  }
  throw new Error('This provider wants a passkey, which a terminal does not have.');
}

function parametersFor({ maxAge, acrValues }: Requirement): SignInParameters {
  return {
    ...(maxAge !== undefined && { max_age: `${maxAge}` }),
    ...(acrValues !== undefined && { acr_values: acrValues.join(' ') }),
  };
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
        watch: { type: 'boolean' },
      },
    });
  } catch (error) {
    return endWith(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  }
}

/** Returns the issuer of the provider that shows this address in its code, or undefined for any other text. */
function issuerOf(given: string): string | undefined {
  const [, base] = /^(https?:\/\/.+)\/qr\/[\w-]{32,}$/.exec(given) ?? [];
  return base !== undefined && URL.canParse(base) ? base : undefined;
}

function endWith(complaint: string): never {
  console.error(complaint);
  process.exit(2);
}

async function askYesNo(question: string): Promise<boolean> {
  return /^y(es)?$/i.test((await terminal.question(question)).trim());
}
