import { setMaxListeners } from 'node:events';
import { withDeadline } from '../deadline.ts';
import type { RedisClient } from './client.ts';

/** The callbacks of a connection. */
export interface ConnectionCallbacks {
  /** Called after the client was opened, before other callers of `open` go on. If it throws, `open` fails. */
  readonly onOpen: () => Promise<void>;
  /** Called each time that the client is ready to send. A cluster's client reports this only after `remake`. */
  readonly onReady: () => void;
  readonly onError: (error: Error) => void;
}

/**
 * The connection of one client, or its connections in a cluster. The client reconnects by itself after an error. A
 * connection that may be dead without an error is closed and made anew with `remake`.
 */
export class RedisConnection {
  readonly #client: RedisClient;
  readonly #callbacks: ConnectionCallbacks;
  /** The client that sends commands. When its connection ends, it drops the commands that it has not sent yet. */
  #sender: RedisClient;
  #endOfConnection = new AbortController();
  #readiness: { readonly promise: Promise<void>; readonly tell: () => void } | undefined;
  /** True while the client is connected but its first command (HELLO) has not been answered. */
  #isGreeting = false;
  #opened: Promise<void> | undefined;
  #isOpening = false;
  /** True if `remake` has closed the client, to connect anew. */
  #isRemaking = false;

  constructor(client: RedisClient, callbacks: ConnectionCallbacks) {
    this.#client = client;
    this.#callbacks = callbacks;
    this.#sender = this.#newSender();
    // Without a listener, a lost connection would end the process.
    client.on('error', (error) => {
      this.#isGreeting = false;
      if (client.isReady === false) this.#sender = this.#newSender();
      callbacks.onError(error);
    });
    client.on('connect', () => {
      this.#isGreeting = true;
    });
    client.on('ready', () => {
      this.#isGreeting = false;
      this.#readiness?.tell();
      this.#readiness = undefined;
      callbacks.onReady();
    });
  }

  /** True for a cluster: its client is the only one without `isReady`. */
  get isCluster(): boolean {
    return this.#client.isReady === undefined;
  }

  /** True while the client is not ready to send; always false for a cluster. */
  get isDown(): boolean {
    return this.#client.isReady === false;
  }

  /** True if the deployment has closed the client. The next `open` opens it again. */
  get isClosed(): boolean {
    return this.#opened !== undefined && !this.#client.isOpen && !this.#isRemaking;
  }

  /**
   * True if the connection may be dead without an error, for example because a NAT device has forgotten it. A client
   * that is connecting anyway is left alone, and so is a Sentinel's client, which follows its Sentinel.
   */
  get mayBeDead(): boolean {
    return this.#client.duplicate !== undefined && (this.#client.isReady === true || this.#isGreeting);
  }

  /** Opens the client, unless it is open. Concurrent callers share one attempt. */
  open(): Promise<void> {
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

  /** Sends a command. While the connection is down, the command waits, but no longer than a store may take. */
  async send<T>(command: (client: RedisClient) => Promise<T>): Promise<T> {
    if (this.isDown) await withDeadline(this.#ready());
    return command(this.#sender);
  }

  /** Closes the client, so that the next `open` connects anew. */
  remake(): void {
    if (!this.#client.isOpen) return;
    this.#opened = undefined;
    this.#isRemaking = true;
    void this.#client.destroy();
  }

  async #connect(): Promise<void> {
    if (!this.#client.isOpen) await this.#client.connect();
    await this.#callbacks.onOpen();
    if (this.#isRemaking) this.#callbacks.onReady();
    this.#isRemaking = false;
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
   * for the next connection, the client would treat them as sent, and give them the reply to its own HELLO.
   */
  #newSender(): RedisClient {
    this.#endOfConnection.abort();
    this.#endOfConnection = new AbortController();
    setMaxListeners(0, this.#endOfConnection.signal);
    return this.#client.withAbortSignal?.(this.#endOfConnection.signal) ?? this.#client;
  }
}
