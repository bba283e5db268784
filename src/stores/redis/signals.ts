import type { Listener, Signals } from '../../ticket/ports.ts';
import { getStorePatience } from '../deadline.ts';
import { LocalSignals } from '../local-signals.ts';
import type { RedisKeyNames } from './key-names.ts';
import type { RedisLink } from './link.ts';
import { WATCH } from './scripts.ts';
import { Subscription } from './subscription.ts';

/** The time after which Redis forgets that a node watches an interaction. */
const WATCH_TTL_MS = 180_000;
/** The time between two renewals of a node's entries in Redis, which say what it watches. */
const REMIND_EVERY_MS = 60_000;
/** The number of entries that are renewed at a time. */
const BATCH_SIZE = 100;
const RETRY_AFTER_MS = 1_000;
/** The time between two regular re-reads, as a multiple of the store's patience (10 s by default). */
const REREAD_FACTOR = 10;

/**
 * Signals between processes. Each process has one channel. Redis keeps a list of the processes that watch an
 * interaction, and the script that writes a change publishes it to these processes only. If messages may have been
 * missed, the listeners are told to read their tickets again.
 */
export class RedisSignals implements Signals {
  readonly #link: RedisLink;
  readonly #keys: RedisKeyNames;
  readonly #local = new LocalSignals();
  readonly #subscription: Subscription;
  readonly #timer: NodeJS.Timeout;
  readonly #stopListening: () => void;
  #closed = false;
  #isCatchingUp = false;
  #missedMore = false;
  #retry: NodeJS.Timeout | undefined;

  /** @param onRefusal called with the error of Redis if it refuses to publish or to subscribe */
  constructor(link: RedisLink, keys: RedisKeyNames, onRefusal: (reason: string) => void) {
    this.#link = link;
    this.#keys = keys;
    this.#subscription = new Subscription(link, keys, {
      onMessage: (message) => this.#local.publish(JSON.parse(message)),
      onGap: () => void this.#catchUp(),
      onRefusal,
    });
    // Redis may have been restarted, and may have lost the list of watchers.
    this.#stopListening = link.onRecovery(() => void this.#catchUp());
    this.#timer = setInterval(() => void this.#remind(), REMIND_EVERY_MS).unref();
  }

  /** The time between two regular re-reads in milliseconds. They find changes whose messages got lost. */
  get rereadEvery(): number {
    return REREAD_FACTOR * getStorePatience();
  }

  /** True if messages of other processes arrive here. */
  get isUp(): boolean {
    return this.#subscription.isUp;
  }

  subscribe(interaction: string, listener: Listener): void {
    const isNew = !this.#local.isWatched(interaction);
    this.#local.subscribe(interaction, listener);
    if (isNew) void this.#announce(interaction);
  }

  unsubscribe(interaction: string, listener: Listener): void {
    this.#local.unsubscribe(interaction, listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopListening();
    clearInterval(this.#timer);
    clearTimeout(this.#retry);
    await this.#subscription.close();
  }

  /** Tells Redis that this node watches the interaction. @returns true if that succeeded */
  async #announce(interaction: string): Promise<boolean> {
    const values = [this.#subscription.node, `${WATCH_TTL_MS}`];
    try {
      await this.#link.run(WATCH, [this.#keys.watchers(interaction)], values);
      return true;
    } catch {
      this.#catchUpLater();
      return false;
    }
  }

  /** Tells Redis about all interactions that this node watches. @returns true if that succeeded */
  async #remind(): Promise<boolean> {
    const watched = [...this.#local.watchedInteractions()];
    for (let first = 0; first < watched.length && !this.#closed; first += BATCH_SIZE) {
      const announced = await Promise.all(
        watched.slice(first, first + BATCH_SIZE).map((interaction) => this.#announce(interaction)),
      );
      // Redis is unavailable. The other entries are renewed with the next attempt.
      if (announced.includes(false)) return false;
    }
    return true;
  }

  /** Tries again after a second. Until then, the regular re-reads find the changes. */
  #catchUpLater(): void {
    if (this.#closed) return;
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      void this.#catchUp();
    }, RETRY_AFTER_MS).unref();
  }

  /** Renews all entries in Redis, and then tells the listeners to read again. Concurrent calls are merged. */
  async #catchUp(): Promise<void> {
    this.#missedMore = true;
    if (this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    while (this.#missedMore) {
      this.#missedMore = false;
      if (!(await this.#remind())) break;
      for (const interaction of [...this.#local.watchedInteractions()]) this.#local.doubt(interaction);
    }
    this.#isCatchingUp = false;
  }
}
