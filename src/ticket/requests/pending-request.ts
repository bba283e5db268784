import type { FormattedRecord } from '../record-format.ts';

/** A request that waits for an account's decision without having been scanned. */
export interface PendingRequest extends FormattedRecord {
  /** The id of its ticket. */
  readonly id: string;
  /** The name of its sender: an account has at most one pending request of each. */
  readonly sender: string;
  /** The time at which it leaves the list by itself, in milliseconds since the epoch. */
  readonly endsAt: number;
}

/** Stores the pending requests of each account. A request whose end has passed is in no list. */
export interface PendingRequests {
  /**
   * Adds a request in one step, unless the account has one of this sender, or {@link MOST_REQUESTS}.
   * @returns false if it was not added
   */
  add(accountId: string, request: PendingRequest): Promise<boolean>;

  list(accountId: string): Promise<readonly PendingRequest[]>;

  /** Removes a request from the list. Does nothing if the list does not have it. */
  remove(accountId: string, id: string): Promise<void>;
}

/** The most requests that may wait for an account. Users would tap further ones away without reading them. */
export const MOST_REQUESTS = 5;

/** Returns true if a request may be added to those of an account. @param list those that have not ended */
export function hasRoom(list: readonly PendingRequest[], { sender }: PendingRequest): boolean {
  return list.length < MOST_REQUESTS && list.every((other) => other.sender !== sender);
}
