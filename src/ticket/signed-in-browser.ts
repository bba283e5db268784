import type { Place } from './ticket.ts';
import { traceOf } from './ticket-id.ts';

/** A browser that an account was signed in to by QR, as the account's list has it. All times are in milliseconds since the epoch. */
export interface SignedInBrowser {
  /** What URLs and forms call it: a hash of the session's uid, good for nothing else. */
  readonly id: string;
  /** The `uid` of its session at the provider, which stays when the session's cookie changes. */
  readonly sessionUid: string;
  /** What it claimed to be when it was signed in. */
  readonly name?: string;
  readonly system?: string;
  readonly place?: Place;
  readonly signedInAt: number;
  /** When an app last asked there who is signed in. */
  readonly lastUsedAt: number;
  /** When its session ends by itself. */
  readonly endsAt: number;
}

/** That a browser was used, and how long its session lasts since. */
export interface Use {
  readonly lastUsedAt: number;
  readonly endsAt: number;
}

/** The browsers of each account. What has ended by itself is in no list. */
export interface SignedInBrowsers {
  /**
   * Puts a browser on the list, in the place of what had its id.
   * @returns those that had to go for it: an account has at most {@link MOST_BROWSERS}, and the one that was not used for longest goes first
   */
  put(accountId: string, browser: SignedInBrowser): Promise<readonly SignedInBrowser[]>;

  of(accountId: string): Promise<readonly SignedInBrowser[]>;

  /** @returns whether it is on the list; what is not is not put there */
  used(accountId: string, id: string, use: Use): Promise<boolean>;

  remove(accountId: string, id: string): Promise<void>;
}

/** Nobody reads a longer list; and what an account takes in the store is bounded. */
export const MOST_BROWSERS = 100;

export function browserId(sessionUid: string): string {
  return traceOf(sessionUid);
}

export function isSignedIn({ endsAt }: SignedInBrowser, now: number): boolean {
  return now < endsAt;
}

/** A list with this browser on it, and those that had to go for it. */
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
