import type { Place } from './ticket.ts';
import { traceOf } from './ticket-id.ts';

/** A sign-in by QR that the browser has finished. */
export interface FinishedSignIn {
  readonly ticketId: string;
  readonly clientId: string;
  /** The network address that the browser's requests came from, which a client cannot forge. */
  readonly source: string;
  /** The time at which the code was first shown, in milliseconds since the epoch. */
  readonly shownAt: number;
}

/**
 * A browser that an account was signed in to by QR: an entry of the account's list. All times are in milliseconds since
 * the epoch.
 */
export interface SignedInBrowser {
  /** Its id in URLs and forms: a hash of the session's uid, which gives no access to the session. */
  readonly id: string;
  /** The `uid` of its session at the provider, which stays the same when the session's cookie changes. */
  readonly sessionUid: string;
  /** The browser's name, from the User-Agent header that it sent when it was signed in. */
  readonly name?: string;
  readonly system?: string;
  readonly place?: Place;
  readonly signedInAt: number;
  /** The sign-in that its session came out of; absent if the list was repaired after trouble with the store. */
  readonly signIn?: FinishedSignIn;
  /** The last time that an app requested a sign-in in this browser. */
  readonly lastUsedAt: number;
  /** The time at which its session expires. */
  readonly endsAt: number;
}

/** A use of a browser, with the time at which its session expires since then. */
export interface Use {
  readonly lastUsedAt: number;
  readonly endsAt: number;
}

/** Stores the list of browsers of each account. A browser with an expired session is in no list. */
export interface SignedInBrowsers {
  /**
   * Puts a browser on the list, and replaces the one that has the same id.
   * @returns the browsers that were removed to make room: an account has at most {@link MOST_BROWSERS}, and the least
   * recently used one is removed first
   */
  put(accountId: string, browser: SignedInBrowser): Promise<readonly SignedInBrowser[]>;

  list(accountId: string): Promise<readonly SignedInBrowser[]>;

  /** @returns true if the browser is on the list; one that is not on it is not added */
  used(accountId: string, id: string, use: Use): Promise<boolean>;

  remove(accountId: string, id: string): Promise<void>;
}

/** The limit of browsers on an account's list. It bounds the list's size in the store; no user reads a longer one. */
export const MOST_BROWSERS = 100;

export function browserId(sessionUid: string): string {
  return traceOf(sessionUid);
}

export function isSignedIn({ endsAt }: SignedInBrowser, now: number): boolean {
  return now < endsAt;
}

/** Returns the list with this browser added, and the browsers that were removed to make room for it. */
export function withBrowser(
  list: readonly SignedInBrowser[],
  browser: SignedInBrowser,
  now: number,
): { readonly kept: SignedInBrowser[]; readonly gone: SignedInBrowser[] } {
  const others = list
    .filter((other) => other.id !== browser.id && isSignedIn(other, now))
    .sort((one, other) => one.lastUsedAt - other.lastUsedAt);
  const surplus = Math.max(0, others.length + 1 - MOST_BROWSERS);
  return { kept: [...others.slice(surplus), browser], gone: others.slice(0, surplus) };
}
