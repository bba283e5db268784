/**
 * `npm run terminal -- [issuer]`: signs in on a screen without a browser, such as a television or a server. It shows
 * the QR code in the terminal, asks for the six digits if they are demanded, and gets its tokens like other apps.
 */
import { createInterface } from 'node:readline/promises';
import QRCode from 'qrcode';
import { TerminalSignIn, type TerminalTicket } from './terminal-sign-in.ts';

const USAGE = 'Usage: npm run terminal -- [address of the provider, http://localhost:3000 by default]';
const [issuer = 'http://localhost:3000', another] = process.argv.slice(2);
if (!/^https?:\/\//.test(issuer) || !URL.canParse(issuer) || another !== undefined) {
  console.error(USAGE);
  process.exit(2);
}

const TEXTS: Readonly<Record<string, string>> = {
  scanned: 'Scanned. Look at your phone: check the details there, and approve.',
  denied: 'The sign-in was declined on the phone.',
  expired: 'The time has run out. Start this again for a new code.',
  cancelled: 'The sign-in is over. Start this again for a new code.',
};

const CLEAR = '\u001b[2J\u001b[H';
const terminal = createInterface({ input: process.stdin, output: process.stdout });
try {
  const signIn = await TerminalSignIn.begin(issuer.replace(/\/$/, ''));
  let shown = '';
  for await (const ticket of signIn.watch()) {
    if (ticket.state === 'waiting') await showCode(ticket);
    else if (ticket.state !== shown) showState(ticket);
    shown = ticket.state;
    if (ticket.state === 'approved') break;
  }
  if (shown !== 'approved') process.exitCode = 1;
  else console.log(`\nYou are signed in as ${await finish(signIn)}.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  terminal.close();
}

/** Draws the code. Every few seconds there is a new code, which replaces the old one if the output is a terminal. */
async function showCode({ qr }: TerminalTicket): Promise<void> {
  if (qr === undefined) return;
  if (process.stdout.isTTY) process.stdout.write(CLEAR);
  console.log('Scan this with a phone that is signed in, to sign in here:\n');
  console.log(await QRCode.toString(qr.url, { type: 'terminal', small: true, errorCorrectionLevel: 'L' }));
  console.log(`or open ${qr.url}`);
  if (qr.shortCode !== undefined) console.log(`or type the backup code ${qr.shortCode} at ${issuer}/qr/scan`);
}

function showState({ state, number }: TerminalTicket): void {
  if (TEXTS[state] !== undefined) console.log(TEXTS[state]);
  if (number !== undefined) console.log(`Tap this number on your phone: ${number}`);
}

/** Finishes the sign-in, with the digits if they are asked for. @returns the name of the user */
async function finish(signIn: TerminalSignIn): Promise<string> {
  for (;;) {
    const checkCode = signIn.needsCheckCode ? await terminal.question('6-digit number on your phone: ') : undefined;
    const name = await signIn.finish(checkCode?.replace(/\D/g, ''));
    if (name !== undefined) return name;
    console.log('That is not the number on your phone.');
  }
}
