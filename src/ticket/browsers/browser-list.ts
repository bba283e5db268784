import type { FormattedRecord } from '../record-format.ts';

/** A browser on an account's list. All times are in milliseconds since the epoch. */
export interface ListedBrowser extends FormattedRecord {
  readonly id: string;
  readonly lastUsedAt: number;
  /** The time at which it leaves the list by itself. */
  readonly endsAt: number;
  /** The name that the account's user has given it; absent if it has none. */
  readonly label?: string;
}

/** A use of a browser, and the time at which the browser leaves the list if it is not used again. */
export type Use = Pick<ListedBrowser, 'lastUsedAt' | 'endsAt'>;

/** Stores a list of browsers for each account. A browser whose end has passed is in no list. */
export interface BrowserList<Entry extends ListedBrowser> {
  /**
   * Puts a browser on the list, and replaces the one that has the same id.
   * @returns the browsers that were removed to make room: an account has at most {@link MOST_BROWSERS}, and the least
   * recently used one is removed first
   */
  put(accountId: string, browser: Entry): Promise<readonly Entry[]>;

  list(accountId: string): Promise<readonly Entry[]>;

  /**
   * Records a use of a browser.
   * @returns true if the browser is on the list. A browser that is not on the list is not added.
   */
  used(accountId: string, id: string, use: Use): Promise<boolean>;

  /**
   * Sets the label of a browser, and changes nothing else, so that a use recorded at the same time is not lost.
   * @param label undefined to remove it
   * @returns true if the browser is on the list. A browser that is not on the list is not added.
   */
  rename(accountId: string, id: string, label: string | undefined): Promise<boolean>;

  remove(accountId: string, id: string): Promise<void>;
}

/** The limit of browsers on an account's list. It bounds the list's size in the store; no user reads a longer one. */
export const MOST_BROWSERS = 100;

/** Returns true if the browser has not left the list by itself. */
export function isListed({ endsAt }: ListedBrowser, now: number): boolean {
  return now < endsAt;
}

/** Returns a browser with another label, or with none. */
export function withLabel<Entry extends Pick<ListedBrowser, 'label'>>(
  { label: _, ...browser }: Entry,
  label: string | undefined,
): Omit<Entry, 'label'> & Pick<ListedBrowser, 'label'> {
  return { ...browser, ...(label !== undefined && { label }) };
}

/** Returns the list with this browser added, and the browsers that were removed to make room for it. */
export function withBrowser<Entry extends ListedBrowser>(
  list: readonly Entry[],
  browser: Entry,
  now: number,
): { readonly kept: Entry[]; readonly gone: Entry[] } {
  const others = list
    .filter((other) => other.id !== browser.id && isListed(other, now))
    .sort((one, other) => one.lastUsedAt - other.lastUsedAt);
  const surplus = Math.max(0, others.length + 1 - MOST_BROWSERS);
  return { kept: [...others.slice(surplus), browser], gone: others.slice(0, surplus) };
}
