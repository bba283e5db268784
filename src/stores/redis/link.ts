import { setMaxListeners } from 'node:events';
import { Access } from '../access.ts';
import { getStorePatience, TooLate, withDeadline } from '../deadline.ts';
import type { RedisClient, RedisOfKeyv } from './client.ts';
import { ClockOffset } from './clock-offset.ts';
import { runScript, type Script, TIME } from './scripts.ts';

/** The time between two comparisons of the clocks of Redis and this process. */
const COMPARE_EVERY_MS = 10_000;
/**
 * A connection without any answer for this multiple of the store's patience (5 s by default) is closed and made anew.
 */
const LONGEST_SILENCE = 5;
const RETRY_AFTER_MS = 500;

/**
 * A connection to Redis with the client of a Keyv over `@keyv/redis`. All users of that client share one link.
 *
 * If Redis has not answered in time, the link asks it for the time until it answers. Meanwhile all other commands fail
 * at once, so that no request waits in vain and no commands pile up.
 */
export class RedisLink {
  readonly #client: RedisClient;
  /** The key with which the time is asked for: in a cluster, all processes ask the same node. */
  readonly #clockKey: string;
  readonly #access = new Access('redis');
  readonly #onTrouble = new Set<(error: Error) => void>();
  readonly #onRecovery = new Set<() => void>();
  /** The client that sends commands. When its connection ends, it drops the commands that it has not sent yet. */
  #sender: RedisClient;
  #endOfConnection = new AbortController();
  #readiness: { readonly promise: Promise<void>; readonly tell: () => void } | undefined;
  /** True while the client is connected but its greeting (HELLO) has not been answered. */
  #isGreeting = false;
  #opened: Promise<void> | undefined;
  #isOpening = false;
  #isSilent = false;
  /** The time since which answers are late, and the time of the last late one, by `performance.now()`. */
  #silentSince = Number.NEGATIVE_INFINITY;
  #lateAt = Number.NEGATIVE_INFINITY;
  /** True if the current trouble was reported already. */
  #isReported = false;
  /** True if this link has closed the client itself, to connect anew. */
  #isRemaking = false;
  readonly #offset = new ClockOffset();
  #comparedAt = Number.NEGATIVE_INFINITY;

  private constructor({ client, prefix }: RedisOfKeyv) {
    this.#client = client;
    this.#clockKey = `${prefix}qr:clock`;
    this.#sender = this.#newSender();
    // Without a listener, a lost connection would end the process.
    client.on('error', (error) => {
      this.#isGreeting = false;
      if (client.isReady === false) this.#sender = this.#newSender();
      this.#report(error);
    });
    client.on('connect', () => {
      this.#isGreeting = true;
    });
    client.on('ready', () => {
      this.#isGreeting = false;
      this.#readiness?.tell();
      this.#readiness = undefined;
      this.#recover();
    });
  }

  /** Returns the link of a client, and makes it if there is none. */
  static forClient(redis: RedisOfKeyv): RedisLink {
    const link = links.get(redis.client) ?? new RedisLink(redis);
    links.set(redis.client, link);
    return link;
  }

  /** The milliseconds to add to the clock of this process to get the time of Redis, on which all nodes agree. */
  get ahead(): number {
    return this.#offset.ahead;
  }

  /** @param listener called with errors that belong to no request. @returns a function that removes it */
  onTrouble(listener: (error: Error) => void): () => void {
    this.#onTrouble.add(listener);
    return () => this.#onTrouble.delete(listener);
  }

  /**
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
    return this.#make('find', (client) => client.get(key));
  }

  hmGet(key: string, fields: string[]): Promise<(string | null)[]> {
    return this.#make('find', (client) => client.hmGet(key, fields));
  }

  /** Runs a script. @param onLate called with an answer that arrives after this method has thrown */
  run(script: Script, keys: string[], values: string[] = [], onLate?: (answer: unknown) => void): Promise<unknown> {
    return this.#make(script.name, (client) => runScript(client, script, keys, values), onLate);
  }

  /** Asks Redis for the time. @throws QrLoginError `store_unavailable` if it does not answer in time */
  ping(): Promise<void> {
    return this.#make('time', () => this.#compareClocks());
  }

  async #make<T>(
    operation: string,
    command: (client: RedisClient) => Promise<T>,
    onLate?: (answer: T) => void,
  ): Promise<T> {
    const access = async (): Promise<T> => {
      if (this.#isSilent) throw new TooLate();
      await this.#open();
      this.#compareClocksNowAndThen();
      return this.#send(command);
    };
    try {
      return await this.#access.make(operation, access, onLate);
    } catch (error) {
      const late = error instanceof Error && error.cause instanceof TooLate;
      if (late || this.#client.isReady === false) this.#fallSilent();
      throw error;
    }
  }

  /** Connects and compares the clocks, unless that is done. Concurrent callers share one attempt. */
  #open(): Promise<void> {
    if (this.#opened !== undefined && (this.#isOpening || this.#client.isOpen)) return this.#opened;
    this.#isOpening = true;
    this.#opened = this.#connect();
    const done = (): void => {
      this.#isOpening = false;
    };
    this.#opened.then(done, () => {
      done();
      this.#opened = undefined;
    });
    return this.#opened;
  }

  async #connect(): Promise<void> {
    if (!this.#client.isOpen) await this.#client.connect();
    await this.#compareClocks();
    if (this.#isRemaking) this.#recover();
    this.#isRemaking = false;
  }

  /** Sends a command. While the connection is down, it waits, but no longer than the store's patience. */
  async #send<T>(command: (client: RedisClient) => Promise<T>): Promise<T> {
    if (this.#client.isReady === false) await withDeadline(this.#ready());
    return command(this.#sender);
  }

  /** Resolves when the client is ready again. All waiting commands share one promise. */
  #ready(): Promise<void> {
    if (this.#readiness === undefined) {
      let tell: () => void = () => undefined;
      const promise = new Promise<void>((resolve) => {
        tell = resolve;
      });
      this.#readiness = { promise, tell };
    }
    return this.#readiness.promise;
  }

  /**
   * Returns a client for the next connection, and drops the commands that the previous one has not sent. If they waited
   * for the next connection, the client would take them for sent and give them the reply to its own greeting.
   */
  #newSender(): RedisClient {
    this.#endOfConnection.abort();
    this.#endOfConnection = new AbortController();
    setMaxListeners(0, this.#endOfConnection.signal);
    return this.#client.withAbortSignal?.(this.#endOfConnection.signal) ?? this.#client;
  }

  async #compareClocks(): Promise<void> {
    this.#comparedAt = performance.now();
    await this.#offset.compare(async () => {
      const answer = await this.#send((client) => runScript(client, TIME, [this.#clockKey], []));
      if (!Array.isArray(answer)) throw new TypeError('Redis did not return the time');
      const [seconds, microseconds] = answer;
      return Number(seconds) * 1000 + Number(microseconds) / 1000;
    });
  }

  #compareClocksNowAndThen(): void {
    if (performance.now() - this.#comparedAt < COMPARE_EVERY_MS) return;
    this.#compareClocks().catch((error: Error) => this.#report(error));
  }

  #fallSilent(): void {
    // In a cluster the other nodes may be well, so only a long silence makes the link connect anew.
    if (this.#isCluster) {
      this.#noteLate();
    } else if (!this.#isSilent) {
      this.#isSilent = true;
      this.#silentSince = performance.now();
      void this.#askUntilAnswered();
    }
  }

  #noteLate(): void {
    const now = performance.now();
    const silence = LONGEST_SILENCE * getStorePatience();
    if (now - this.#lateAt > silence) this.#silentSince = now;
    this.#lateAt = now;
    if (now - this.#silentSince >= silence) this.#remake();
  }

  /** True for a cluster: its client is the only one without `isReady`. */
  get #isCluster(): boolean {
    return this.#client.isReady === undefined;
  }

  async #askUntilAnswered(): Promise<void> {
    // The deployment has closed the client: stop asking. The next command opens it again.
    if (this.#opened !== undefined && !this.#client.isOpen && !this.#isRemaking) {
      this.#isSilent = false;
      return;
    }
    const left = Math.max(0, this.#silentSince + LONGEST_SILENCE * getStorePatience() - performance.now());
    const giveUp = setTimeout(() => this.#giveUpConnection(), left).unref();
    try {
      await this.#open();
      await this.#compareClocks();
      this.#recover();
    } catch (error) {
      if (error instanceof Error) this.#report(error);
      // The connection broke, and the client is making a new one: ask again on that.
      if (this.#isSilent) setTimeout(() => void this.#askUntilAnswered(), RETRY_AFTER_MS).unref();
    } finally {
      clearTimeout(giveUp);
    }
  }

  /**
   * Closes a connection that may be dead without an error, for example because a NAT device has forgotten it. A client
   * that is connecting anyway is left alone, and so is a Sentinel's client, which follows its Sentinel.
   */
  #giveUpConnection(): void {
    if (this.#client.duplicate !== undefined && (this.#client.isReady || this.#isGreeting)) this.#remake();
  }

  #remake(): void {
    this.#silentSince = performance.now();
    if (!this.#client.isOpen) return;
    this.#opened = undefined;
    this.#isRemaking = true;
    void this.#client.destroy();
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
