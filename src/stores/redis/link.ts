import { setMaxListeners } from 'node:events';
import { Access, getStorePatience, TooLate, within } from '../access.ts';
import type { RedisClient, RedisOfKeyv } from './client.ts';
import { ClockOffset } from './clock-offset.ts';
import { runScript, type Script, TIME } from './scripts.ts';

/** How often the two clocks are compared. */
const COMPARE_EVERY = 10_000;
/** A connection on which nothing has come back for so many times the store's patience (5 s in all) is given up and made anew. */
const SILENT_FOR = 5;
const RETRY_AFTER = 500;

/**
 * The way to a Redis by the client of a Keyv over `@keyv/redis`, shared by all who use that client.
 *
 * A Redis that has not answered in time is asked one question until it answers that; meanwhile everything else fails at
 * once, so that nobody waits in vain and nothing piles up behind it.
 */
export class RedisLink {
  readonly #client: RedisClient;
  /** So that a cluster asks the same machine for the time. */
  readonly #clockKey: string;
  readonly #access = new Access('redis');
  readonly #onTrouble = new Set<(error: Error) => void>();
  readonly #onRecovery = new Set<() => void>();
  /** What sends; it drops what it has not sent yet once its connection ends. */
  #sender: RedisClient;
  #endOfConnection = new AbortController();
  #readiness: { readonly promise: Promise<void>; readonly tell: () => void } | undefined;
  /** Whether there is a connection on which the client's greeting has no answer yet. */
  #isGreeting = false;
  #opened: Promise<void> | undefined;
  #isOpening = false;
  #isSilent = false;
  /** Since when answers are late, and when the last one was. */
  #silentSince = Number.NEGATIVE_INFINITY;
  #lateAt = Number.NEGATIVE_INFINITY;
  /** Whether it was told already that something is wrong. */
  #isTold = false;
  /** Whether a connection that is closed was closed by this, to be made anew. */
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
      this.#tell(error);
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

  static of(redis: RedisOfKeyv): RedisLink {
    const link = links.get(redis.client) ?? new RedisLink(redis);
    links.set(redis.client, link);
    return link;
  }

  /** What must be added to this process's clock to get the time on which all nodes agree, in milliseconds. */
  get ahead(): number {
    return this.#offset.ahead;
  }

  /** @param listener told of what goes wrong while nobody waits for it */
  onTrouble(listener: (error: Error) => void): () => void {
    this.#onTrouble.add(listener);
    return () => this.#onTrouble.delete(listener);
  }

  /** @param listener called whenever Redis may have been out of reach and is there again */
  onRecovery(listener: () => void): () => void {
    this.#onRecovery.add(listener);
    return () => this.#onRecovery.delete(listener);
  }

  /** A client to subscribe with, not connected yet. A Sentinel's client subscribes itself, by a connection of its own. */
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

  /** @param onLate told of an answer that came when nobody waited for it any more */
  run(script: Script, keys: string[], values: string[] = [], onLate?: (answer: unknown) => void): Promise<unknown> {
    return this.#make(script.name, (client) => runScript(client, script, keys, values), onLate);
  }

  /** @throws QrLoginError `store_unavailable` where Redis does not answer now */
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

  /** Connected, and in time with Redis. */
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

  /** While the connection is down a command waits for it, but not longer than whoever asked. */
  async #send<T>(command: (client: RedisClient) => Promise<T>): Promise<T> {
    if (this.#client.isReady === false) await within(this.#ready());
    return command(this.#sender);
  }

  /** Resolves when the client is ready again; one promise for all who wait for that. */
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
   * What the client has not sent when a connection ends must not wait for the next one: it would be taken for sent, and get the
   * reply to the client's own greeting.
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
      if (!Array.isArray(answer)) throw new TypeError('Redis does not tell the time');
      const [seconds, microseconds] = answer;
      return Number(seconds) * 1000 + Number(microseconds) / 1000;
    });
  }

  #compareClocksNowAndThen(): void {
    if (performance.now() - this.#comparedAt < COMPARE_EVERY) return;
    this.#compareClocks().catch((error: Error) => this.#tell(error));
  }

  #fallSilent(): void {
    // In a cluster the others may be well: only where it goes on is everything made anew.
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
    const silence = SILENT_FOR * getStorePatience();
    if (now - this.#lateAt > silence) this.#silentSince = now;
    this.#lateAt = now;
    if (now - this.#silentSince >= silence) this.#remake();
  }

  /** Its client does not say whether it is ready. */
  get #isCluster(): boolean {
    return this.#client.isReady === undefined;
  }

  async #askUntilAnswered(): Promise<void> {
    // The deployment has closed it: whoever needs it opens it again.
    if (this.#opened !== undefined && !this.#client.isOpen && !this.#isRemaking) {
      this.#isSilent = false;
      return;
    }
    const left = Math.max(0, this.#silentSince + SILENT_FOR * getStorePatience() - performance.now());
    const giveUp = setTimeout(() => this.#giveUpConnection(), left).unref();
    try {
      await this.#open();
      await this.#compareClocks();
      this.#recover();
    } catch (error) {
      if (error instanceof Error) this.#tell(error);
      // The connection broke, and its client makes a new one.
      if (this.#isSilent) setTimeout(() => void this.#askUntilAnswered(), RETRY_AFTER).unref();
    } finally {
      clearTimeout(giveUp);
    }
  }

  /**
   * A connection may be dead without a word: what lies between may have forgotten it. A client that is about to connect anyway
   * is left to that, and a Sentinel's to what the Sentinel says.
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
    this.#isTold = false;
    for (const listener of this.#onRecovery) listener();
  }

  /** Once, until all is well again. */
  #tell(error: Error): void {
    if (this.#isTold) return;
    this.#isTold = true;
    for (const listener of this.#onTrouble) listener(error);
  }
}

const links = new WeakMap<RedisClient, RedisLink>();
