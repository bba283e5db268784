/**
 * `npm run attack -- <issuer> <initial access token> [<words>]`: tries the attacks of test/security on a running
 * provider of the examples: all of them, or those with these words in their names. Prints one line for each attack. It
 * takes a while, because the scans of an account are limited. Exits with 1 if any attack got in, and with 2 if any
 * could not be tried for an unknown reason.
 */
import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import * as client from 'openid-client';
import { Agent as Network } from 'undici';
import { BrowserVisitor, PhoneVisitor, type Site } from '../support/visitors.ts';
import { RP_CALLBACK } from '../support/world.ts';
import type { Attack } from './attack.ts';
import { signedInBy } from './meeting.ts';

const ATTACKS = new URL('.', import.meta.url);

/** The longest `Retry-After` that is waited for. A longer one counts as a refusal. */
const LONGEST_WAIT_SECONDS = 65;

type Outcome = 'held' | 'GOT IN' | 'not tried here' | 'BROKE';

/** Counts the answers with 429 that were waited for. */
let waits = 0;
/** Sends the requests of the current attack from a loopback address of its own. */
let dispatcher: Network | undefined;
const run = 1 + (process.pid % 250);
let addresses = 0;
/** The cookies of a browser in which alice and bob have signed in before. */
let familiar = '';

const [issuer = '', token = '', only = ''] = process.argv.slice(2);
if (!URL.canParse(issuer) || token === '') {
  console.error(
    'npm run attack -- <issuer> <initial access token>: npm start prints both, as "<issuer>/reg" and its token.',
  );
  process.exit(2);
}
globalThis.fetch = patientFetch(globalThis.fetch);

const outcomes = new Set<Outcome>();
const site = await register();
await becomeFamiliar();
for (const [attack, family] of await collect()) {
  if (!`${family}: ${attack.name}`.includes(only)) continue;
  const [outcome, what] = await attempt(attack);
  outcomes.add(outcome);
  console.log(`${outcome.padEnd(14)}  row ${attack.row}, ${family}: ${attack.name}${what === '' ? '' : ` – ${what}`}`);
}
process.exit(outcomes.has('GOT IN') ? 1 : outcomes.has('BROKE') ? 2 : 0);

async function attempt(attack: Attack): Promise<[Outcome, string]> {
  if (attack.on !== undefined) return ['not tried here', 'it needs a server with other options'];
  const before = waits;
  comeFromElsewhere();
  try {
    const got = await attack.run(site);
    return got === undefined ? ['held', ''] : ['GOT IN', short(got)];
  } catch (error) {
    // Codes and tickets may have expired while the attack waited for a limit.
    if (waits > before) return attemptOnceMore(attack);
    return ['BROKE', short(`${error}`)];
  }
}

async function attemptOnceMore(attack: Attack): Promise<[Outcome, string]> {
  comeFromElsewhere();
  try {
    const got = await attack.run(site);
    return got === undefined ? ['held', ''] : ['GOT IN', short(got)];
  } catch (error) {
    return ['BROKE', short(`${error}`)];
  }
}

/**
 * Gives the next attack an address of its own: a reported address is refused for an hour, and one over a limit for a
 * minute. Linux accepts all of 127.0.0.0/8 as its own addresses; on other systems all attacks come from one address.
 */
function comeFromElsewhere(): void {
  if (process.platform !== 'linux' || new URL(issuer).hostname !== 'localhost') return;
  addresses += 1;
  dispatcher = new Network({ localAddress: `127.${run}.${addresses >> 8}.${addresses & 255}` });
}

/** Finds all families of attacks: each is a folder with a file of the same name. */
async function collect(): Promise<Map<Attack, string>> {
  const found = new Map<Attack, string>();
  for (const family of readdirSync(ATTACKS)) {
    const file = new URL(`${family}/${family}.ts`, ATTACKS);
    if (!existsSync(file)) continue;
    const { attacks = [] }: { attacks?: readonly Attack[] } = await import(file.href);
    for (const attack of attacks) if (!found.has(attack)) found.set(attack, family);
  }
  return found;
}

/** Registers an RP for the attacks by dynamic client registration. */
async function register(): Promise<Site> {
  const configuration = await client.dynamicClientRegistration(
    new URL(issuer),
    { client_name: 'Test app', redirect_uris: [RP_CALLBACK] },
    undefined,
    { initialAccessToken: token, execute: issuer.startsWith('http:') ? [client.allowInsecureRequests] : [] },
  );
  const { client_id: id, client_secret: secret } = configuration.clientMetadata();
  const metadata = configuration.serverMetadata();
  return { issuer, client: { id, secret: `${secret}`, callback: RP_CALLBACK }, metadata: async () => metadata };
}

/**
 * Signs alice and bob in once, and keeps the cookies with which a browser is known: every later browser sends them.
 * Most attacks begin without a check code, and the check codes of an account are limited by the hour. The attackers'
 * browsers are known ones as well, which makes the attacks stronger.
 */
async function becomeFamiliar(): Promise<void> {
  for (const name of ['alice', 'bob']) {
    comeFromElsewhere();
    const browser = new BrowserVisitor(site);
    const phone = new PhoneVisitor(site);
    await browser.start();
    await phone.signInAt(`${issuer}/account`, name);
    await phone.scan(await browser.code());
    const { state, checkCode } = await phone.approve({ remember: 'yes' });
    if (state !== 'approved') throw new Error(`${name} cannot approve here`);
    const signedIn = await browser.finish(checkCode === undefined ? undefined : `${checkCode}`);
    if (signedIn.status !== 200) throw new Error(`${name} cannot sign in: ${signedIn.status} ${signedIn.text}`);
    // The account trusts the browser from here on.
    await signedInBy(browser, signedIn);
    const cookies = await browser.agent.jar.getCookies(browser.at);
    familiar = cookies
      .filter(({ key }) => key.startsWith('_qr_memory'))
      .map((cookie) => cookie.cookieString())
      .join('; ');
  }
}

/** Wraps `fetch`: adds the cookies of the known browser, agrees to a change of its account, and repeats a request after the `Retry-After` of a 429. */
function patientFetch(network: typeof fetch): typeof fetch {
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    const cookie = headers.get('cookie') ?? '';
    if (`${input}`.includes('/interaction/') && familiar !== '' && !cookie.includes('_qr_memory')) {
      headers.set('cookie', cookie === '' ? familiar : `${cookie}; ${familiar}`);
    }
    const body = agreeing(`${input}`, init?.body);
    for (;;) {
      const response = await network(input, {
        ...init,
        ...(body !== undefined && { body }),
        headers,
        ...(dispatcher && { dispatcher }),
      } as RequestInit);
      const seconds = Number(response.headers.get('retry-after'));
      if (response.status !== 429 || seconds > LONGEST_WAIT_SECONDS) return response;
      waits += 1;
      console.error(`(waits ${seconds} s: the server says that this was too often)`);
      await response.body?.cancel();
      await pause(seconds * 1000);
    }
  };
}

/** The known browser was last signed in as bob. An attacker at it would agree to any account. */
function agreeing(url: string, body: RequestInit['body']): RequestInit['body'] {
  if (!url.endsWith('/qr/finish') || typeof body !== 'string' || !body.startsWith('{')) return body;
  return JSON.stringify({ switchAccount: 'yes', ...JSON.parse(body) });
}

function short(text: string): string {
  return text.replaceAll(/\s+/g, ' ').slice(0, 160);
}
