import type { KnownBy, Place } from '../ticket.ts';
import type { BrowserKey } from './browser-key.ts';
import type { BrowserList, ListedBrowser } from './browser-list.ts';
import type { EnrolledBy } from './enrolment.ts';
import type { FinishedSignIn } from './signed-in-browser.ts';

/**
 * A browser that an account trusts, so that no check code need be typed there. Its id is the fingerprint of the random
 * secret in its cookie, which the store does not have. It leaves the list 180 days after its last use.
 */
export interface KnownBrowser extends ListedBrowser {
  /** The `uid` of the session of its latest sign-in by QR: the trust ends with a sign-out from that session. */
  readonly sessionUid: string;
  /** The browser's name, from the User-Agent header that it sent when it was signed in. */
  readonly name?: string;
  readonly system?: string;
  readonly place?: Place;
  readonly trustedAt: number;
  /**
   * Its latest sign-in by QR, by which a report finds this browser when its session is gone. Absent if an older release
   * wrote the record.
   */
  readonly signIn?: FinishedSignIn;
  /** The key of the browser, if the browser could make one. Without this key, its cookie is worth nothing. */
  readonly key?: BrowserKey;
  /** Present in the record of an enrolled browser, which is known by its key alone. */
  readonly enrolledBy?: EnrolledBy;
}

/** Stores the browsers that each account trusts. `lastUsedAt` is the time of the latest sign-in by QR there. */
export type KnownBrowsers = BrowserList<KnownBrowser>;

/** The time that an account trusts a browser after its last use. */
export const TRUST_LIFETIME_MS: number = 180 * 24 * 60 * 60 * 1000;

/**
 * Returns the record of a browser that this account trusts now, or undefined if it does not.
 * @param id the fingerprint of the secret in the browser's cookie, if it has one
 */
export async function findKnownBrowser(
  known: Pick<KnownBrowsers, 'list'>,
  accountId: string,
  id: string | undefined,
): Promise<KnownBrowser | undefined> {
  if (id === undefined) return undefined;
  return (await known.list(accountId)).find((browser) => browser.id === id);
}

/** Returns the evidence by which a browser is known, or undefined if it is not. */
export function knownBy(browser: KnownBrowser | undefined): KnownBy | undefined {
  return browser && (browser.key === undefined ? 'cookie' : 'key');
}

/** Ends the trust that the account gave in this session. */
export async function forgetBrowserOf(known: KnownBrowsers, accountId: string, sessionUid: string): Promise<void> {
  const list = await known.list(accountId);
  const trusted = list.filter((browser) => browser.sessionUid === sessionUid);
  await Promise.all(trusted.map(({ id }) => known.remove(accountId, id)));
}

/** Ends the trust of this account in all browsers. */
export async function forgetAllBrowsers(known: KnownBrowsers, accountId: string): Promise<number> {
  const list = await known.list(accountId);
  await Promise.all(list.map(({ id }) => known.remove(accountId, id)));
  return list.length;
}
