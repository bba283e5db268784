import type { RateLimiterAbstract } from 'rate-limiter-flexible';
import { RateLimiterRes } from 'rate-limiter-flexible';

/** How often something may be done. */
export interface Rate {
  readonly times: number;
  /** Within this many seconds, from the first time on. */
  readonly within: number;
}

/** The milliseconds after which it may be done again; undefined where it may be done now. */
type Wait = number | undefined;

/** Counts how often somebody does something. */
export interface RateLimit {
  /** Counts this time. */
  take(who: string): Wait | Promise<Wait>;

  /** The same for what will be counted once it is known how it went. */
  ask(who: string): Wait | Promise<Wait>;
}

/** How often somebody was there since the window began. */
interface Window {
  times: number;
  readonly endsAt: number;
}

const SWEEP_EVERY = 1_000;

/**
 * What one process counts for itself. A timer for each who comes, as `RateLimiterMemory` has it, takes four times as much memory, and more time than
 * the counting: as all windows are equally long, they end in the order in which they began, and whoever comes drops what is over.
 */
export class LocalRateLimit implements RateLimit {
  readonly #times: number;
  readonly #lasts: number;
  /** Those that began first come first. */
  readonly #windows = new Map<string, Window>();
  #sweptAt = 0;

  constructor({ times, within }: Rate) {
    this.#times = times;
    this.#lasts = within * 1000;
  }

  take(who: string): Wait {
    const now = performance.now();
    const window = this.#windowOf(who, now) ?? this.#begin(who, now);
    window.times += 1;
    return window.times > this.#times ? window.endsAt - now : undefined;
  }

  ask(who: string): Wait {
    const now = performance.now();
    const window = this.#windowOf(who, now);
    return window !== undefined && window.times >= this.#times ? window.endsAt - now : undefined;
  }

  /** How many are remembered. */
  get size(): number {
    return this.#windows.size;
  }

  #windowOf(who: string, now: number): Window | undefined {
    if (now - this.#sweptAt >= SWEEP_EVERY) this.#sweep(now);
    const window = this.#windows.get(who);
    return window !== undefined && window.endsAt > now ? window : undefined;
  }

  #begin(who: string, now: number): Window {
    const window = { times: 0, endsAt: now + this.#lasts };
    // Else it would keep the place of the one before it.
    this.#windows.delete(who);
    this.#windows.set(who, window);
    return window;
  }

  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const [who, { endsAt }] of this.#windows) {
      if (endsAt > now) return;
      this.#windows.delete(who);
    }
  }
}

/** What a limiter of `rate-limiter-flexible` counts. */
export class SharedRateLimit implements RateLimit {
  readonly #limiter: RateLimiterAbstract;

  constructor(limiter: RateLimiterAbstract) {
    this.#limiter = limiter;
  }

  async take(who: string): Promise<Wait> {
    const { refused, answer } = await this.#consume(who, 1);
    return refused ? answer.msBeforeNext : undefined;
  }

  async ask(who: string): Promise<Wait> {
    const { refused, answer } = await this.#consume(who, 0);
    return refused || answer.consumedPoints >= this.#limiter.points ? answer.msBeforeNext : undefined;
  }

  /** The limiter throws what it answers where that is no. */
  async #consume(who: string, points: number): Promise<{ refused: boolean; answer: RateLimiterRes }> {
    try {
      return { refused: false, answer: await this.#limiter.consume(who, points) };
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return { refused: true, answer: refusal };
      throw refusal;
    }
  }
}
