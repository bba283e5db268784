import type { RateLimiterAbstract } from 'rate-limiter-flexible';
import { RateLimiterRes } from 'rate-limiter-flexible';

/** The limit for one kind of request. */
export interface Rate {
  readonly times: number;
  /** The length of the window in seconds. It starts with the first request. */
  readonly within: number;
}

/** The milliseconds after which the next request is allowed; undefined if it is allowed now. */
type WaitMs = number | undefined;

/** Counts requests for each key, such as an address or an account. */
export interface RateLimit {
  /** Counts a request. */
  take(key: string): WaitMs | Promise<WaitMs>;

  /** Checks the limit without counting, for requests that are counted later, when their outcome is known. */
  ask(key: string): WaitMs | Promise<WaitMs>;
}

/** The number of requests of one key since its window began. */
interface Window {
  times: number;
  /** The end of the window in milliseconds, by `performance.now()`. */
  readonly endsAt: number;
}

const SWEEP_EVERY_MS = 1_000;

/**
 * A rate limit that one process counts by itself. Unlike `RateLimiterMemory`, it has no timer for each key: the timers
 * would take four times as much memory, and more time than the counting. All windows have the same length, so they end
 * in the order in which they began, and a request removes the windows that are over.
 */
export class LocalRateLimit implements RateLimit {
  readonly #times: number;
  readonly #lasts: number;
  /** The windows by key, in the order in which they began. */
  readonly #windows = new Map<string, Window>();
  #sweptAt = 0;

  constructor({ times, within }: Rate) {
    this.#times = times;
    this.#lasts = within * 1000;
  }

  take(key: string): WaitMs {
    const now = performance.now();
    const window = this.#windowOf(key, now) ?? this.#begin(key, now);
    window.times += 1;
    return window.times > this.#times ? window.endsAt - now : undefined;
  }

  ask(key: string): WaitMs {
    const now = performance.now();
    const window = this.#windowOf(key, now);
    return window !== undefined && window.times >= this.#times ? window.endsAt - now : undefined;
  }

  /** The number of keys that are remembered. */
  get size(): number {
    return this.#windows.size;
  }

  #windowOf(key: string, now: number): Window | undefined {
    if (now - this.#sweptAt >= SWEEP_EVERY_MS) this.#sweep(now);
    const window = this.#windows.get(key);
    return window !== undefined && window.endsAt > now ? window : undefined;
  }

  #begin(key: string, now: number): Window {
    const window = { times: 0, endsAt: now + this.#lasts };
    // Delete the old window first: a Map would keep its position, and the order of the windows would be wrong.
    this.#windows.delete(key);
    this.#windows.set(key, window);
    return window;
  }

  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const [key, { endsAt }] of this.#windows) {
      if (endsAt > now) return;
      this.#windows.delete(key);
    }
  }
}

/** A rate limit that a limiter of `rate-limiter-flexible` counts. */
export class SharedRateLimit implements RateLimit {
  readonly #limiter: RateLimiterAbstract;

  constructor(limiter: RateLimiterAbstract) {
    this.#limiter = limiter;
  }

  async take(key: string): Promise<WaitMs> {
    const { refused, answer } = await this.#consume(key, 1);
    return refused ? answer.msBeforeNext : undefined;
  }

  async ask(key: string): Promise<WaitMs> {
    const { refused, answer } = await this.#consume(key, 0);
    return refused || answer.consumedPoints >= this.#limiter.points ? answer.msBeforeNext : undefined;
  }

  /** Turns a refusal, which the limiter throws, into a result. */
  async #consume(key: string, points: number): Promise<{ refused: boolean; answer: RateLimiterRes }> {
    try {
      return { refused: false, answer: await this.#limiter.consume(key, points) };
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return { refused: true, answer: refusal };
      throw refusal;
    }
  }
}
