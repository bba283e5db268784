/**
 * `npm run attack -- <issuer> <initial access token> [<words>]`: tries the attacks of test/security on an example provider that is
 * running: all of them, or those with these words in their names. As accounts may not scan without end, all of them take a while. One line for each. Ends with 1 where any got in, with 2 where any could not be tried for a reason that is not known.
 */
import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import * as client from 'openid-client';
import { Agent as Network } from 'undici';
import { BrowserVisitor, PhoneVisitor, type Site } from '../support/visitors.ts';
import { RP_CALLBACK } from '../support/world.ts';
import type { Attack } from './attack.ts';

const ATTACKS = new URL('.', import.meta.url);

/** Whoever is told to wait for longer than this is told no, in seconds. */
const PATIENCE = 65;

type Outcome = 'held' | 'GOT IN' | 'not tried here' | 'BROKE';

/** How often the server has told somebody to wait. */
let waits = 0;
/** The way from an address of its own to a provider on this machine, for each attack. */
let from: Network | undefined;
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
globalThis.fetch = asThere(globalThis.fetch);

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
    // Codes and tickets run out while somebody waits.
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
 * Whoever was reported is refused for an hour, and whoever asks too often for a minute: the next attack is not to suffer from that.
 * Linux has sixteen million addresses for a machine to talk to itself; elsewhere all attacks come from one.
 */
function comeFromElsewhere(): void {
  if (process.platform !== 'linux' || new URL(issuer).hostname !== 'localhost') return;
  addresses += 1;
  from = new Network({ localAddress: `127.${run}.${addresses >> 8}.${addresses & 255}` });
}

/** Finds all families: each is a folder with a file of its own name. */
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

/** An RP of our own, by dynamic registration. */
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
 * Most attacks begin where nobody is asked for a check code, and an account has few of those an hour. So alice and bob sign in once,
 * and every browser is from then on one that they have used: the attackers' as well, which makes them stronger.
 */
async function becomeFamiliar(): Promise<void> {
  for (const name of ['alice', 'bob']) {
    comeFromElsewhere();
    const browser = new BrowserVisitor(site);
    const phone = new PhoneVisitor(site);
    await browser.start();
    await phone.signInAt(`${issuer}/account`, name);
    await phone.scan(await browser.code());
    const { state, checkCode } = await phone.approve();
    if (state !== 'approved') throw new Error(`${name} cannot approve here`);
    const signedIn = await browser.finish(checkCode === undefined ? undefined : `${checkCode}`);
    if (signedIn.status !== 200) throw new Error(`${name} cannot sign in: ${signedIn.status} ${signedIn.text}`);
    const cookies = await browser.agent.jar.getCookies(browser.at);
    familiar = cookies
      .filter(({ key }) => key.startsWith('_qr_memory'))
      .map((cookie) => cookie.cookieString())
      .join('; ');
  }
}

/** Requests as they must be there: from a browser that is known, and again where the server says how long to wait. */
function asThere(network: typeof fetch): typeof fetch {
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    const cookie = headers.get('cookie') ?? '';
    if (`${input}`.includes('/interaction/') && familiar !== '' && !cookie.includes('_qr_memory')) {
      headers.set('cookie', cookie === '' ? familiar : `${cookie}; ${familiar}`);
    }
    for (;;) {
      const response = await network(input, { ...init, headers, ...(from && { dispatcher: from }) } as RequestInit);
      const seconds = Number(response.headers.get('retry-after'));
      if (response.status !== 429 || seconds > PATIENCE) return response;
      waits += 1;
      console.error(`(waits ${seconds} s: the server says that this was too often)`);
      await response.body?.cancel();
      await pause(seconds * 1000);
    }
  };
}

function short(text: string): string {
  return text.replaceAll(/\s+/g, ' ').slice(0, 160);
}
