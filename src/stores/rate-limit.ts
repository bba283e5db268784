import type { RateLimiterAbstract } from 'rate-limiter-flexible';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

/** How often something may be done. */
export interface Rate {
  readonly times: number;
  /** Within this many seconds, from the first time on. */
  readonly within: number;
}

/** Counts how often somebody does something. */
export class RateLimit {
  readonly #limiter: RateLimiterAbstract;

  constructor(limiter: RateLimiterAbstract) {
    this.#limiter = limiter;
  }

  /**
   * Counts this time.
   * @returns the milliseconds after which it may be done again; undefined where it may be done now
   */
  async take(who: string): Promise<number | undefined> {
    const { refused, answer } = await this.#consume(who, 1);
    return refused ? answer.msBeforeNext : undefined;
  }

  /** The same for what will be counted once it is known how it went. */
  async ask(who: string): Promise<number | undefined> {
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

/** What one process counts for itself. */
export function countInMemory(rate: Rate): RateLimiterMemory {
  return new RateLimiterMemory({ points: rate.times, duration: rate.within });
}
