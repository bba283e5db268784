/**
 * `npm run attack -- <issuer> <initial access token> [<words>]`: tries the attacks of test/security on a running
 * provider of the examples. With words, it tries only the attacks with these words in their names. It asks the provider
 * for its features. A provider that can make further providers (`npm start -- --everything`) makes one with the setting
 * of each attack. The program prints one line for each attack, and the sums. Without `--everything` it takes a while,
 * because the scans of an account are limited. It exits with 1 if any attack got in, and with 2 if any could not be
 * tried for an unknown reason.
 */
import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { ClientMetadata } from 'oidc-provider';
import * as client from 'openid-client';
import { Agent as Network } from 'undici';
import type { MadeProvider, Setting } from '../../examples/everything.ts';
import type { Features } from '../../examples/features.ts';
import { BrowserVisitor, PhoneVisitor, type Site } from '../support/visitors.ts';
import { RP_CALLBACK } from '../support/world.ts';
import type { Attack } from './attack.ts';
import { isMetBy, type LiveSetting, settingFor } from './live-setting.ts';
import { followToRp } from './meeting.ts';

const ATTACKS = new URL('.', import.meta.url);

/** The longest `Retry-After` for which the program waits. A longer one counts as a refusal. */
const LONGEST_WAIT_SECONDS = 65;

const OUTCOMES = ['held', 'GOT IN', 'not tried here', 'BROKE'] as const;
type Outcome = (typeof OUTCOMES)[number];

/** Counts the answers with 429 after which the program has waited. */
let waits = 0;
/** Sends the requests of the current attack, from a separate loopback address for each attack. */
let dispatcher: Network | undefined;
const run = 1 + (process.pid % 250);
let addresses = 0;
/** The cookies of a browser in which alice and bob have signed in before. */
let familiar = '';
/** True while the attack is about limits, so that it must get the answers with 429. */
let isLimited = false;

const [issuer = '', token = '', only = ''] = process.argv.slice(2);
if (!URL.canParse(issuer) || token === '') {
  console.error(
    'npm run attack -- <issuer> <initial access token>: npm start prints both, as "<issuer>/reg" and its token.',
  );
  process.exit(2);
}
globalThis.fetch = patientFetch(globalThis.fetch);

const features = await askFeatures();
const usual = features.settings === undefined ? await register({ issuer, initialAccessToken: token }) : undefined;
if (usual !== undefined) await becomeFamiliar(usual);

const counts = new Map<Outcome, number>(OUTCOMES.map((outcome) => [outcome, 0]));
for (const [attack, family] of await collect()) {
  if (!`${family}: ${attack.name}`.includes(only)) continue;
  const [outcome, what] = await attempt(attack);
  counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  console.log(`${outcome.padEnd(14)}  row ${attack.row}, ${family}: ${attack.name}${what === '' ? '' : ` – ${what}`}`);
}
console.log([...counts].map(([outcome, count]) => `${outcome}: ${count}`).join(', '));
process.exit(counts.get('GOT IN') ? 1 : counts.get('BROKE') ? 2 : 0);

/**
 * Asks the provider which features are on. Only the example answers this. For other providers, the usual settings are
 * assumed.
 */
async function askFeatures(): Promise<Partial<Features>> {
  const answer = await fetch(`${issuer}/account/features`);
  return answer.ok ? ((await answer.json()) as Features) : {};
}

async function attempt(attack: Attack): Promise<[Outcome, string]> {
  const needs = settingFor(attack);
  if (needs === undefined) return ['not tried here', 'only a server of the tests can have these options'];
  comeFromElsewhere();
  const before = waits;
  try {
    const site = await siteFor(needs);
    if (site === undefined) return ['not tried here', 'it needs npm start -- --everything'];
    return await outcomeOf(attack, site, needs).catch((error: unknown) => {
      // Codes and tickets may have expired while the attack waited for a limit.
      if (waits === before) throw error;
      comeFromElsewhere();
      return outcomeOf(attack, site, needs);
    });
  } catch (error) {
    return ['BROKE', short(`${error}`)];
  }
}

async function outcomeOf(attack: Attack, site: Site, { setting }: LiveSetting): Promise<[Outcome, string]> {
  isLimited = setting.limits !== undefined;
  try {
    const got = await attack.run(site);
    return got === undefined ? ['held', ''] : ['GOT IN', short(got)];
  } finally {
    isLimited = false;
  }
}

/** Returns the site for an attack: a separate provider, or the usual provider if it has the setting. */
async function siteFor(needs: LiveSetting): Promise<Site | undefined> {
  if (usual === undefined) return register(await makeProvider(needs.setting), needs.clients);
  const { passkeys = false, shortCode = false, limits = true, proxy = false } = features;
  return isMetBy({ passkeys, shortCode, limits, proxy }, needs) ? usual : undefined;
}

/** Asks the example for a provider with this setting. */
async function makeProvider(setting: Setting): Promise<MadeProvider> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${features.settings}`, { method: 'POST', headers, body: JSON.stringify(setting) });
  if (!answer.ok) throw new Error(`no provider with this setting: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as MadeProvider;
}

/**
 * Gives the next attack a new address, because a reported address is refused for an hour, and an address over a limit
 * for a minute. Linux accepts all of 127.0.0.0/8 as its own addresses; on other systems all attacks come from one
 * address.
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

/** Registers the RPs for the attacks by dynamic client registration. */
async function register(provider: MadeProvider, more: readonly ClientMetadata[] = []): Promise<Site> {
  const usualRp = await registerRp(provider, { client_name: 'Test app', redirect_uris: [RP_CALLBACK] });
  const metadata = usualRp.serverMetadata();
  const others: Record<string, Site['client']> = {};
  for (const { client_id: name, client_secret: _secret, ...rp } of more) {
    others[name] = clientOf(await registerRp(provider, rp));
  }
  return { issuer: provider.issuer, client: clientOf(usualRp), others, metadata: async () => metadata };
}

function registerRp(
  { issuer: at, initialAccessToken }: MadeProvider,
  rp: Omit<ClientMetadata, 'client_id'>,
): Promise<client.Configuration> {
  const execute = at.startsWith('http:') ? [client.allowInsecureRequests] : [];
  return client.dynamicClientRegistration(new URL(at), rp as client.ClientMetadata, undefined, {
    initialAccessToken,
    execute,
  });
}

function clientOf(configuration: client.Configuration): Site['client'] {
  const { client_id: id, client_secret: secret } = configuration.clientMetadata();
  return { id, secret: `${secret}`, callback: RP_CALLBACK };
}

/**
 * Signs alice and bob in once, and keeps the cookies of this known browser. Every later browser sends them, because
 * most attacks begin without a check code, and the check codes of an account are limited by the hour. The attackers'
 * browsers are known browsers as well, which makes the attacks stronger.
 */
async function becomeFamiliar(site: Site): Promise<void> {
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
    await followToRp(browser, signedIn);
    const cookies = await browser.agent.jar.getCookies(browser.at);
    familiar = cookies
      .filter(({ key }) => key.includes('_qr_memory'))
      .map((cookie) => cookie.cookieString())
      .join('; ');
  }
}

/**
 * Wraps `fetch`: adds the cookies of the known browser, agrees to a change of its account, and repeats a request after
 * the `Retry-After` of a 429.
 */
function patientFetch(network: typeof fetch): typeof fetch {
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    const cookie = headers.get('cookie') ?? '';
    const isFamiliar = takesFamiliarCookie(`${input}`, cookie);
    if (isFamiliar) headers.set('cookie', [cookie, familiar].filter(Boolean).join('; '));
    const body = isFamiliar ? agreeing(`${input}`, init?.body) : init?.body;
    for (;;) {
      const response = await network(input, {
        ...init,
        ...(body !== undefined && { body }),
        headers,
        ...(dispatcher && { dispatcher }),
      } as RequestInit);
      const seconds = Number(response.headers.get('retry-after'));
      if (response.status !== 429 || isLimited || seconds > LONGEST_WAIT_SECONDS) return response;
      waits += 1;
      console.error(`(waits ${seconds} s because of a 429)`);
      await response.body?.cancel();
      await pause(seconds * 1000);
    }
  };
}

/** Returns true if the request gets the cookies of the known browser. */
function takesFamiliarCookie(url: string, cookie: string): boolean {
  return url.includes('/interaction/') && familiar !== '' && !cookie.includes('_qr_memory');
}

/** The known browser was last signed in as bob. An attacker who uses it would agree to a change of the account. */
function agreeing(url: string, body: RequestInit['body']): RequestInit['body'] {
  if (!url.endsWith('/qr/finish') || typeof body !== 'string' || !body.startsWith('{')) return body;
  return JSON.stringify({ switchAccount: 'yes', ...JSON.parse(body) });
}

function short(text: string): string {
  return text.replaceAll(/\s+/g, ' ').slice(0, 160);
}
