import type { BrowserList, ListedBrowser } from '../browsers/browser-list.ts';

/**
 * A browser on a phone that is told by Web Push about requests that wait for its account. Its id is a hash of the
 * address at its push service.
 */
export interface PushSubscription extends ListedBrowser {
  /** The `uid` of the session that has subscribed: the subscription ends with it. */
  readonly sessionUid: string;
  /**
   * The address at the push service and the keys of the browser, as JSON. Sealed, so that a copy of the store sends no
   * messages.
   */
  readonly sealed: string;
  /** The browser's name and system, from the User-Agent header with which it has subscribed. */
  readonly name?: string;
  readonly system?: string;
  readonly subscribedAt: number;
}

/** Stores the subscriptions of each account. `lastUsedAt` is the time at which the push service last took a message. */
export type PushSubscriptions = BrowserList<PushSubscription>;

/** The most subscriptions of an account. The one that was used least recently is removed first. */
export const MOST_SUBSCRIPTIONS = 10;
