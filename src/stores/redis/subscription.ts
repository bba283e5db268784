import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { getStorePatience, within } from '../access.ts';
import type { RedisClient } from './client.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisLink } from './link.ts';
import { PUBLISH } from './scripts.ts';

/**
 * The time between two checks that the node hears its own messages, as a multiple of the store's patience (5 s by default). A connection that
 * fails the check is made anew.
 */
const CHECK_EVERY = 5;
const RETRY_AFTER = 500;

export interface Ears {
  readonly onMessage: (message: string) => void;
  /** Told when something may have been missed. */
  readonly onGap: () => void;
}

/**
 * What one process hears, on a channel and a connection of its own. A dead connection says nothing, just as a living one on
 * which nothing happens: so the node talks to itself, and connects anew where it does not hear that.
 */
export class Subscription {
  /** What this process is called in Redis. */
  readonly node: string = randomBytes(8).toString('base64url');
  readonly #link: RedisLink;
  readonly #keys: RedisKeys;
  readonly #channel: string;
  readonly #ears: Ears;
  readonly #closing = new AbortController();
  readonly #ended: Promise<void>;
  #leave: (() => Promise<void>) | undefined;
  #isUp = false;
  /** What the node said last, and what is done when it hears that. */
  #said = 0;
  #hear: (said: number) => void = () => undefined;

  constructor(link: RedisLink, keys: RedisKeys, ears: Ears) {
    this.#link = link;
    this.#keys = keys;
    this.#channel = keys.channel(this.node);
    this.#ears = ears;
    this.#ended = this.#keepListening();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#ended;
  }

  async #keepListening(): Promise<void> {
    const { signal } = this.#closing;
    await this.#connectAnew();
    while (!signal.aborted) {
      const rest = this.#isUp ? CHECK_EVERY * getStorePatience() * (0.75 + Math.random() / 2) : RETRY_AFTER;
      await pause(rest, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) break;
      if (this.#leave === undefined || !(await this.#hearsItself())) await this.#connectAnew();
    }
    await this.#leave?.();
  }

  async #connectAnew(): Promise<void> {
    await this.#leave?.();
    try {
      this.#leave = await this.#connect();
    } catch {
      // Redis is out of reach, which whoever needs it is told; the next round tries again.
      return;
    }
    if (await this.#hearsItself()) this.#ears.onGap();
  }

  async #connect(): Promise<() => Promise<void>> {
    // A Sentinel's client has to be connected before it subscribes.
    await this.#link.ping();
    const { client, isOwn } = this.#link.subscriber();
    const leave = (): Promise<void> => this.#disconnect(client, isOwn);
    try {
      if (isOwn) {
        // Without a listener, a lost connection would end the process.
        client.on('error', () => undefined);
        await within(client.connect());
      }
      await within(client.subscribe(this.#channel, (message) => this.#receive(message)));
      // From now on the client comes back by itself; what was published meanwhile is lost.
      if (isOwn) client.on('ready', this.#ears.onGap);
      return leave;
    } catch (error) {
      await leave();
      throw error;
    }
  }

  async #disconnect(client: RedisClient, isOwn: boolean): Promise<void> {
    this.#leave = undefined;
    this.#isUp = false;
    if (!client.isOpen) return;
    if (isOwn) await client.destroy();
    else await within(client.unsubscribe(this.#channel)).catch(() => undefined);
  }

  async #hearsItself(): Promise<boolean> {
    const said = ++this.#said;
    const heard = new Promise<void>((resolve) => {
      this.#hear = (what) => {
        if (what === said) resolve();
      };
    });
    try {
      await this.#link.run(PUBLISH, [this.#keys.watchers(this.node)], [this.#channel, `${said}`]);
      await within(heard);
      this.#isUp = true;
    } catch {
      this.#isUp = false;
    }
    return this.#isUp;
  }

  #receive(message: string): void {
    if (message.startsWith('{')) this.#ears.onMessage(message);
    else this.#hear(Number(message));
  }
}
