import type { Place } from '../ticket.ts';
import { traceOf } from '../ticket-id.ts';
import type { BrowserList, ListedBrowser } from './browser-list.ts';

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
 * A browser in which an account was signed in by QR. Its id is a hash of the session's uid, and gives no access to the
 * session. The browser leaves the list when its session expires.
 */
export interface SignedInBrowser extends ListedBrowser {
  /** The `uid` of its session at the provider, which stays the same when the session's cookie changes. */
  readonly sessionUid: string;
  /** The browser's name, from the User-Agent header that it sent when it was signed in. */
  readonly name?: string;
  readonly system?: string;
  readonly place?: Place;
  readonly signedInAt: number;
  /** The sign-in that its session came out of; absent if the list was repaired after trouble with the store. */
  readonly signIn?: FinishedSignIn;
}

/**
 * Stores the browsers in which each account is signed in by QR. `lastUsedAt` is the time at which an app last requested
 * a sign-in there.
 */
export type SignedInBrowsers = BrowserList<SignedInBrowser>;

export function browserId(sessionUid: string): string {
  return traceOf(sessionUid);
}
