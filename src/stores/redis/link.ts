import { Access } from '../access.ts';
import { getStorePatience, TooLate } from '../deadline.ts';
import { type Step, StepBatch } from './batch.ts';
import type { RedisClient, RedisOfKeyv } from './client.ts';
import { ClockOffset } from './clock-offset.ts';
import { RedisConnection } from './connection.ts';
import { EvictionCheck } from './eviction-check.ts';
import { GET, GET_FIELDS, PROBE, runScript, type Script, TIME } from './scripts.ts';

/** The time between two comparisons of the clocks of Redis and this process. */
const COMPARE_EVERY_MS = 10_000;
/**
 * The longest silence of a connection, as a multiple of the store's patience: 5 s by default. After it, the connection
 * is closed and made anew.
 */
const LONGEST_SILENCE_FACTOR = 5;
const RETRY_AFTER_MS = 500;
const PROBE_LASTS_MS = 10_000;

/**
 * Sends commands to Redis with the client of a Keyv over `@keyv/redis`. All users of that client share one link.
 *
 * If an answer of Redis is overdue, the link only asks for the time of Redis, again and again until it gets an answer.
 * Meanwhile all other commands fail at once, so that no request waits in vain and no commands pile up. In a cluster,
 * they are sent all the same, because other nodes may work.
 */
export class RedisLink {
  readonly #client: RedisClient;
  readonly #connection: RedisConnection;
  readonly #batch: StepBatch;
  /** The key with which the time is asked for: in a cluster, all processes ask the same node. */
  readonly #clockKey: string;
  readonly #access = new Access('redis');
  readonly #onTrouble = new Set<(error: Error) => void>();
  readonly #onRecovery = new Set<() => void>();
  #isSilent = false;
  /** The time at which the present silence began, or the connection was last closed, in ms by `performance.now()`. */
  #silentSince = Number.NEGATIVE_INFINITY;
  /** The time of the latest late answer, in ms by `performance.now()`. It is noted in a cluster only. */
  #lateAt = Number.NEGATIVE_INFINITY;
  /** True if the current trouble was reported already. */
  #isReported = false;
  readonly #offset = new ClockOffset();
  readonly #eviction = new EvictionCheck();
  #comparedAt = Number.NEGATIVE_INFINITY;

  private constructor({ client, prefix }: RedisOfKeyv) {
    this.#client = client;
    this.#clockKey = `${prefix}qr:clock`;
    this.#connection = new RedisConnection(client, {
      onOpen: async () => {
        await this.#compareClocks();
        void this.#eviction.check(client);
      },
      onReady: () => this.#recover(),
      onError: (error) => this.#report(error),
    });
    this.#batch = new StepBatch(this.#connection);
  }

  /** Returns the link of a client, and makes it if there is none. */
  static forClient(redis: RedisOfKeyv): RedisLink {
    const link = links.get(redis.client) ?? new RedisLink(redis);
    links.set(redis.client, link);
    return link;
  }

  /** True for a Redis Cluster, where all keys of a script have to be in one slot. */
  get isCluster(): boolean {
    return this.#connection.isCluster;
  }

  /** The milliseconds to add to the clock of this process to get the time of Redis, on which all nodes agree. */
  get ahead(): number {
    return this.#offset.ahead;
  }

  /**
   * Adds a listener.
   * @param listener called with errors that belong to no request
   * @returns a function that removes it
   */
  onTrouble(listener: (error: Error) => void): () => void {
    this.#onTrouble.add(listener);
    return () => this.#onTrouble.delete(listener);
  }

  /**
   * Adds a listener.
   * @param listener called each time that Redis answers again after it may have been unavailable
   * @returns a function that removes it
   */
  onRecovery(listener: () => void): () => void {
    this.#onRecovery.add(listener);
    return () => this.#onRecovery.delete(listener);
  }

  /**
   * Returns a client to subscribe with. It is a new one that is not connected yet (`isOwn`), or the client of a
   * Sentinel, which opens a connection of its own to subscribe.
   */
  subscriber(): { client: RedisClient; isOwn: boolean } {
    const client = this.#client.duplicate?.();
    return client === undefined ? { client: this.#client, isOwn: false } : { client, isOwn: true };
  }

  get(key: string): Promise<string | null> {
    return this.#take('find', { alone: (client) => client.get(key), script: GET, keys: [key], values: [] });
  }

  hmGet(key: string, fields: string[]): Promise<(string | null)[]> {
    const alone = (client: RedisClient): Promise<(string | null)[]> => client.hmGet(key, fields);
    return this.#take('find', { alone, script: GET_FIELDS, keys: [key], values: fields });
  }

  /** Runs a script. @param onLate called with an answer that arrives after this method has thrown */
  run(script: Script, keys: string[], values: string[] = [], onLate?: (answer: unknown) => void): Promise<unknown> {
    const alone = (client: RedisClient): Promise<unknown> => runScript(client, script, keys, values);
    return this.#take(script.name, { alone, script, keys, values }, onLate);
  }

  /** Asks Redis for the time. @throws QrLoginError `store_unavailable` if it does not answer in time */
  ping(): Promise<void> {
    return this.#make('time', () => this.#compareClocks());
  }

  /** Writes a key that soon expires. @throws QrLoginError `store_unavailable` if Redis does not take writes */
  async probe(key: string): Promise<void> {
    await this.run(PROBE, [key], [`${PROBE_LASTS_MS}`]);
  }

  #take<T>(operation: string, step: Step<T>, onLate?: (answer: T) => void): Promise<T> {
    return this.#make(operation, () => this.#batch.send(step), onLate);
  }

  async #make<T>(operation: string, send: () => Promise<T>, onLate?: (answer: T) => void): Promise<T> {
    const access = async (): Promise<T> => {
      if (this.#isSilent) throw new TooLate();
      await this.#connection.open();
      this.#compareClocksIfDue();
      return send();
    };
    try {
      return await this.#access.make(operation, access, onLate);
    } catch (error) {
      const late = error instanceof Error && error.cause instanceof TooLate;
      if (late || this.#connection.isDown) this.#fallSilent();
      throw error;
    }
  }

  async #compareClocks(): Promise<void> {
    this.#comparedAt = performance.now();
    await this.#offset.compare(async () => {
      const answer = await this.#connection.send((client) => runScript(client, TIME, [this.#clockKey], []));
      if (!Array.isArray(answer)) throw new TypeError('Redis did not return the time');
      const [seconds, microseconds] = answer;
      return Number(seconds) * 1000 + Number(microseconds) / 1000;
    });
  }

  #compareClocksIfDue(): void {
    if (performance.now() - this.#comparedAt < COMPARE_EVERY_MS) return;
    this.#compareClocks().catch((error: Error) => this.#report(error));
  }

  #fallSilent(): void {
    // In a cluster the other nodes may work, so only a long silence makes the link connect anew.
    if (this.#connection.isCluster) {
      this.#noteLate();
    } else if (!this.#isSilent) {
      this.#isSilent = true;
      this.#silentSince = performance.now();
      void this.#askUntilAnswered();
    }
  }

  #noteLate(): void {
    const now = performance.now();
    const silence = LONGEST_SILENCE_FACTOR * getStorePatience();
    if (now - this.#lateAt > silence) this.#silentSince = now;
    this.#lateAt = now;
    if (now - this.#silentSince >= silence) this.#remake();
  }

  async #askUntilAnswered(): Promise<void> {
    // The deployment has closed the client: stop asking. The next command opens it again.
    if (this.#connection.isClosed) {
      this.#isSilent = false;
      return;
    }
    const left = Math.max(0, this.#silentSince + LONGEST_SILENCE_FACTOR * getStorePatience() - performance.now());
    const giveUp = setTimeout(() => this.#giveUpConnection(), left).unref();
    try {
      await this.#connection.open();
      await this.#compareClocks();
      this.#recover();
    } catch (error) {
      if (error instanceof Error) this.#report(error);
      // The connection broke, and the client is making a new one: ask again on the new connection.
      if (this.#isSilent) setTimeout(() => void this.#askUntilAnswered(), RETRY_AFTER_MS).unref();
    } finally {
      clearTimeout(giveUp);
    }
  }

  /** Makes a new connection if the present one has been silent for too long. */
  #giveUpConnection(): void {
    if (this.#connection.mayBeDead) this.#remake();
  }

  #remake(): void {
    this.#silentSince = performance.now();
    this.#connection.remake();
  }

  #recover(): void {
    this.#isSilent = false;
    this.#isReported = false;
    for (const listener of this.#onRecovery) listener();
  }

  /** Reports an error, unless one was reported since Redis last answered. */
  #report(error: Error): void {
    if (this.#isReported) return;
    this.#isReported = true;
    for (const listener of this.#onTrouble) listener(error);
  }
}

const links = new WeakMap<RedisClient, RedisLink>();
