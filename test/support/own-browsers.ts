/** Reads and uses `/qr/devices`, the list of browsers that an account is signed in to. */
import type { Agent, Answer } from './agent.ts';
import type { BrowserPerson, PhonePerson, World } from './world.ts';

export interface ListedBrowser {
  readonly id: string;
  readonly name?: string;
  readonly system?: string;
  readonly place?: Record<string, string>;
  readonly signedInAt: string;
  readonly signedInAgo: number;
  readonly lastUsedAt: string;
  readonly lastUsedAgo: number;
  readonly signedInBy: string;
  readonly duration?: string;
  readonly endsIn: number;
  readonly isHere: boolean;
  readonly clients: readonly { readonly id: string; readonly name: string; readonly hosts: readonly string[] }[];
}

export interface OwnBrowsers {
  readonly account: string;
  readonly csrf: string;
  /** The listed browsers without the device that sends the request, unless that device was itself signed in by QR. */
  readonly browsers: readonly ListedBrowser[];
  readonly all: readonly ListedBrowser[];
  readonly known: readonly ListedTrust[];
}

export interface ListedTrust {
  readonly id: string;
  readonly name?: string;
  readonly trustedAgo: number;
  readonly lastUsedAgo: number;
  readonly isHere: boolean;
}

const JSON_PLEASE = { accept: 'application/json' };

/**
 * Scans the code that the browser shows, approves, agrees to a change of account, and lets the browser arrive at its
 * RP.
 * @param more `{ remember: 'yes' }` makes the account trust the browser
 * @returns the URL that the RP gets
 * @throws Error if the phone is refused
 */
export async function signInBy(
  phone: PhonePerson,
  browser: BrowserPerson,
  more: Record<string, string> = {},
): Promise<URL> {
  await phone.scan(await browser.code());
  const approved = await phone.approve(more);
  if (approved.status !== 200) throw new Error(`the approval was refused: ${approved.text}`);
  const { redirectTo } = (await browser.finish(undefined, { switchAccount: 'yes' })).json();
  return browser.arriveFrom(`${redirectTo}`);
}

/** Returns the list of browsers. @param origin the node to ask. By default the world's own. */
export async function ownBrowsers({ agent, world }: Person, origin: string = world.issuer): Promise<OwnBrowsers> {
  const { browsers: all = [], ...page } = (
    await agent.get(`${origin}/qr/devices`, { headers: JSON_PLEASE })
  ).json() as unknown as Omit<OwnBrowsers, 'all'>;
  return { ...page, all, browsers: all.filter(({ isHere, signedInBy }) => !isHere || signedInBy === 'qr') };
}

/** Signs one browser out, or all of them. */
export async function signOut(person: Person, end: string, csrf?: string): Promise<Answer> {
  const json = { csrf: csrf ?? (await ownBrowsers(person)).csrf, end };
  return person.agent.post(`${person.world.issuer}/qr/devices`, { headers: JSON_PLEASE, json });
}

/** Ends the trust in one browser, or in all of them. */
export async function forget(person: Person, id: string): Promise<Answer> {
  const { csrf } = await ownBrowsers(person);
  return person.agent.post(`${person.world.issuer}/qr/devices`, { headers: JSON_PLEASE, json: { csrf, forget: id } });
}

/** Returns true if the RP gets an authorization code with `prompt=none`, which asks the user nothing. */
export async function isSignedIn(browser: BrowserPerson): Promise<boolean> {
  const { location } = await browser.start({ prompt: 'none' });
  return new URL(location).searchParams.has('code');
}

interface Person {
  readonly agent: Agent;
  readonly world: World;
}
