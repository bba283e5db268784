import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { getStorePatience, withDeadline } from '../deadline.ts';
import type { RedisClient } from './client.ts';
import type { RedisKeyNames } from './key-names.ts';
import type { RedisLink } from './link.ts';
import { PUBLISH } from './scripts.ts';

/**
 * The average time between two checks that the node receives its own messages, as a multiple of the store's patience:
 * 5 s by default. If a check fails, the subscriber connects anew.
 */
const CHECK_FACTOR = 5;
const RETRY_AFTER_MS = 500;

/** The callbacks of a subscription. */
export interface SubscriptionCallbacks {
  readonly onMessage: (message: string) => void;
  /** Called when messages may have been missed. */
  readonly onGap: () => void;
  /** Called if Redis refuses to publish or to subscribe. @param reason the error of Redis */
  readonly onRefusal: (reason: string) => void;
}

/**
 * The subscription of one process, with a channel and a connection of its own. A dead connection cannot be told from an
 * idle one, so the node publishes messages to itself, and connects anew if it does not receive them.
 */
export class Subscription {
  /** The name of this process in Redis. */
  readonly node: string = randomBytes(8).toString('base64url');
  readonly #link: RedisLink;
  readonly #keys: RedisKeyNames;
  readonly #channel: string;
  readonly #callbacks: SubscriptionCallbacks;
  readonly #closing = new AbortController();
  readonly #ended: Promise<void>;
  #leave: (() => Promise<void>) | undefined;
  #isUp = false;
  /** True if Redis has refused the last attempt to publish or subscribe. Trying again soon would not help. */
  #isRefused = false;
  /** The number of the last message to itself, and the callback for its arrival. */
  #checkNumber = 0;
  #onCheck: (number: number) => void = () => undefined;

  constructor(link: RedisLink, keys: RedisKeyNames, callbacks: SubscriptionCallbacks) {
    this.#link = link;
    this.#keys = keys;
    this.#channel = keys.channel(this.node);
    this.#callbacks = callbacks;
    this.#ended = this.#keepListening();
  }

  /** True if the last check has succeeded. */
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
      const rest =
        this.#isUp || this.#isRefused ? CHECK_FACTOR * getStorePatience() * (0.75 + Math.random() / 2) : RETRY_AFTER_MS;
      await pause(rest, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) break;
      if (this.#leave === undefined || !(await this.#checkOwnChannel())) await this.#connectAnew();
    }
    await this.#leave?.();
  }

  async #connectAnew(): Promise<void> {
    await this.#leave?.();
    this.#isRefused = false;
    try {
      this.#leave = await this.#connect();
    } catch (error) {
      // Any other error means that Redis is unavailable. Requests that need Redis fail by themselves, and the next
      // round tries again.
      if (error instanceof Error && error.message.startsWith('NOPERM')) this.#refuse(error.message);
      return;
    }
    if (await this.#checkOwnChannel()) this.#callbacks.onGap();
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
        await withDeadline(client.connect());
      }
      await withDeadline(client.subscribe(this.#channel, (message) => this.#receive(message)));
      // From now on the client reconnects by itself, but messages that were published meanwhile are lost.
      if (isOwn) client.on('ready', this.#callbacks.onGap);
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
    else await withDeadline(client.unsubscribe(this.#channel)).catch(() => undefined);
  }

  async #checkOwnChannel(): Promise<boolean> {
    const expected = ++this.#checkNumber;
    const heard = new Promise<void>((resolve) => {
      this.#onCheck = (received) => {
        if (received === expected) resolve();
      };
    });
    try {
      const sent = await this.#link.run(PUBLISH, [this.#keys.watchers(this.node)], [this.#channel, `${expected}`]);
      if (typeof sent === 'string') this.#refuse(sent);
      else await withDeadline(heard);
      this.#isUp = !this.#isRefused;
    } catch {
      this.#isUp = false;
    }
    return this.#isUp;
  }

  #refuse(reason: string): void {
    this.#isRefused = true;
    this.#callbacks.onRefusal(reason);
  }

  #receive(message: string): void {
    if (message.startsWith('{')) this.#callbacks.onMessage(message);
    else this.#onCheck(Number(message));
  }
}
