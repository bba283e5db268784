/** Browsers that an account trusts, and that ask its phones in place of showing a code. */
import type { NotifiedRequest } from '../../../src/index.ts';
import type { Answer } from '../../support/agent.ts';
import type { TestBrowserKey } from '../../support/browser-key.ts';
import { BrowserPerson, type PhonePerson, World, type WorldOptions } from '../../support/world.ts';
import { openFirst } from '../requests/requests.ts';

export interface AskingWorld {
  readonly world: World;
  /** The requests that the option `notify` was called with, and their accounts. */
  readonly notified: readonly (readonly [accountId: string, request: NotifiedRequest])[];
}

/** Returns the options of a provider whose known browsers ask phones, and the calls of its `notify`. */
export function askingOptions(
  { qrLogin, ...options }: WorldOptions = {},
  isOffered = true,
): {
  readonly options: WorldOptions;
  readonly notified: AskingWorld['notified'];
} {
  const notified: (readonly [string, NotifiedRequest])[] = [];
  const notify = (...given: readonly [string, NotifiedRequest]): void => void notified.push(given);
  return { options: { ...options, qrLogin: { ...(isOffered && { askPhone: {} }), notify, ...qrLogin } }, notified };
}

export async function startAsking(given: WorldOptions = {}, isOffered = true): Promise<AskingWorld> {
  const { options, notified } = askingOptions(given, isOffered);
  return { world: await World.start(options), notified };
}

/** Signs a browser in by a scan, so that the account trusts it. @param key the key that the browser makes */
export async function trust(world: World, phone: PhonePerson, key?: TestBrowserKey): Promise<BrowserPerson> {
  const browser = new BrowserPerson(world);
  await browser.start();
  await phone.scan(await browser.code());
  const approved = await phone.approve({ remember: 'yes' });
  const { checkCode } = approved.json();
  const digits = checkCode === undefined ? undefined : `${checkCode}`;
  const finished = await browser.finish(digits, key && { key: await key.publicKey() });
  await browser.arriveFrom(`${finished.json().redirectTo}`);
  await signOutHere(browser);
  return browser;
}

/** Removes the session of a browser, as if it had expired. The cookies by which accounts know it stay. */
export async function signOutHere({ agent, world }: BrowserPerson): Promise<void> {
  for (const { key } of await agent.jar.getCookies(world.issuer)) {
    if (key.startsWith('_session')) await agent.jar.setCookie(`${key}=; Max-Age=0; Path=/`, world.issuer);
  }
}

/** Returns the challenge of the page, which the browser's key signs; undefined if the page has none. */
export async function challengeOf(browser: BrowserPerson): Promise<string | undefined> {
  const page = await browser.agent.get(browser.at, { headers: { accept: 'text/html' } });
  return /data-ask-phone="([^"]+)"/.exec(page.text)?.[1];
}

/** Asks the phones, as the form of the page does. @param key the key that signs, if the browser has one */
export async function askPhone(browser: BrowserPerson, key?: TestBrowserKey): Promise<Answer> {
  const signature = key && (await key.signText(`oidc-provider-qr-login ask ${await challengeOf(browser)}`));
  return browser.agent.post(`${browser.at}/qr/ask`, { json: { ...(signature !== undefined && { signature }) } });
}

/** Starts a sign-in in the browser, and asks the phones. */
export async function startAndAsk(browser: BrowserPerson, key?: TestBrowserKey): Promise<Answer> {
  await browser.start();
  return askPhone(browser, key);
}

/** Opens the only request on the list of a phone. @returns the ticket as the phone sees it */
export async function openAsked(phone: PhonePerson): Promise<Record<string, unknown>> {
  const answer = await openFirst(phone);
  if (answer.status !== 200) throw new Error(answer.text);
  return (await phone.look()).json();
}
