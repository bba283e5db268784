/** A service that receives security events. */
export interface Receiver {
  /** The `aud` of its events (RFC 8417, section 2.2), which also names it in the calls of this object. */
  readonly audience: string;
  /**
   * Its `client_id`, if it is a client of the provider. Then the events have the `sub` of this client, also a pairwise
   * one, and it is told of the sessions alone that it knew of. Default: it is told of all, with the account's id.
   */
  readonly clientId?: string;
  /** The endpoint to which events are pushed (RFC 8935). Without it, the receiver polls (RFC 8936). */
  readonly push?: {
    /** An https URL, or an http URL of this machine. */
    readonly endpoint: string;
    /** The value of the header `Authorization`. */
    readonly authorization?: string;
  };
}

/** A signed event that waits for a receiver. */
export interface QueuedSet {
  /** The id of the event, which stays the same each time that it is sent. */
  readonly jti: string;
  readonly jwt: string;
}

/** An event that a receiver will not get. */
export interface LostSet {
  readonly audience: string;
  readonly jti: string;
  /**
   * - `overflow`: the queue was full.
   * - `refused`: the receiver has refused it, with the error in `detail` (RFC 8935, section 2.4; RFC 8936, section 2.6).
   * - `unreachable`: eight tries failed; `detail` has the last failure.
   */
  readonly reason: 'overflow' | 'refused' | 'unreachable';
  readonly detail: string;
}

/** The most events that wait for a receiver. */
const MOST_QUEUED = 1_000;

/** The events that wait for one receiver, the oldest first. The oldest one is dropped if there are too many. */
export class SetQueue {
  readonly #sets = new Map<string, QueuedSet>();
  readonly #onDropped: (dropped: QueuedSet) => void;
  #wake: (() => void)[] = [];

  constructor(onDropped: (dropped: QueuedSet) => void) {
    this.#onDropped = onDropped;
  }

  get size(): number {
    return this.#sets.size;
  }

  add(set: QueuedSet): void {
    this.#sets.set(set.jti, set);
    const [oldest] = this.#sets.size > MOST_QUEUED ? this.#sets.values() : [];
    if (oldest !== undefined) {
      this.#sets.delete(oldest.jti);
      this.#onDropped(oldest);
    }
    this.wake();
  }

  first(count: number): QueuedSet[] {
    return [...this.#sets.values()].slice(0, count);
  }

  /** Removes an event. @returns false if it does not wait (any more) */
  remove(jti: string): boolean {
    return this.#sets.delete(jti);
  }

  /** Resolves at the next event, or when the queue is woken. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  /** Ends all waits. */
  wake(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const resolve of waiting) resolve();
  }
}
