import type { Listener, Signals } from '../../ticket/ports.ts';
import { getStorePatience } from '../access.ts';
import { LocalSignals } from '../local-signals.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisLink } from './link.ts';
import { WATCH } from './scripts.ts';
import { Subscription } from './subscription.ts';

/** How long Redis remembers that a node watches an interaction, and how often it is told again, in milliseconds. */
const REMEMBERED_FOR = 180_000;
const REMIND_EVERY = 60_000;
/** How many are told again at a time. */
const AT_ONCE = 100;
const RETRY_AFTER = 1_000;
/** The time between two slow reads, as a multiple of the store's patience (10 s by default). */
const REREAD_EVERY = 10;

/**
 * Signals between processes. Each has one channel; Redis remembers for each interaction which of them watch it, so that a
 * change is told to those alone, by the very script that writes it. Whatever may have been missed makes the watchers read.
 */
export class RedisSignals implements Signals {
  readonly #link: RedisLink;
  readonly #keys: RedisKeys;
  readonly #local = new LocalSignals();
  readonly #subscription: Subscription;
  readonly #timer: NodeJS.Timeout;
  readonly #stopListening: () => void;
  #closed = false;
  #isCatchingUp = false;
  #missedMore = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(link: RedisLink, keys: RedisKeys) {
    this.#link = link;
    this.#keys = keys;
    this.#subscription = new Subscription(link, keys, {
      onMessage: (message) => this.#local.publish(JSON.parse(message)),
      onGap: () => void this.#catchUp(),
    });
    // Redis may have been restarted, without what it was told.
    this.#stopListening = link.onRecovery(() => void this.#catchUp());
    this.#timer = setInterval(() => void this.#remind(), REMIND_EVERY).unref();
  }

  /** The time between two slow reads, in milliseconds. They are needed because a message on a connection that breaks is lost. */
  get rereadEvery(): number {
    return REREAD_EVERY * getStorePatience();
  }

  /** Whether what other processes tell arrives here. */
  get isUp(): boolean {
    return this.#subscription.isUp;
  }

  subscribe(interaction: string, listener: Listener): void {
    const isNew = !this.#local.isWatched(interaction);
    this.#local.subscribe(interaction, listener);
    if (isNew) void this.#note(interaction);
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

  /** @returns whether Redis knows now that this node watches the interaction */
  async #note(interaction: string): Promise<boolean> {
    const values = [this.#subscription.node, `${REMEMBERED_FOR}`];
    try {
      await this.#link.run(WATCH, [this.#keys.watchers(interaction)], values);
      return true;
    } catch {
      this.#catchUpLater();
      return false;
    }
  }

  /** @returns whether Redis knows now what this node watches */
  async #remind(): Promise<boolean> {
    const watched = [...this.#local.watched()];
    for (let first = 0; first < watched.length && !this.#closed; first += AT_ONCE) {
      const noted = await Promise.all(
        watched.slice(first, first + AT_ONCE).map((interaction) => this.#note(interaction)),
      );
      // Redis is out of reach: the others can wait until it is tried again.
      if (noted.includes(false)) return false;
    }
    return true;
  }

  /** The slow read goes on meanwhile. */
  #catchUpLater(): void {
    if (this.#closed) return;
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      void this.#catchUp();
    }, RETRY_AFTER).unref();
  }

  async #catchUp(): Promise<void> {
    this.#missedMore = true;
    if (this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    while (this.#missedMore) {
      this.#missedMore = false;
      if (!(await this.#remind())) break;
      for (const interaction of [...this.#local.watched()]) this.#local.doubt(interaction);
    }
    this.#isCatchingUp = false;
  }
}
