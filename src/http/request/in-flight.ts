import type { Context, Next } from 'koa';

/** Counts the requests that are being answered, so that a server which stops can let them finish. */
export class InFlight {
  #count = 0;
  #onIdle: () => void = () => undefined;

  readonly count = async (_ctx: Context, next: Next): Promise<void> => {
    this.#count += 1;
    try {
      await next();
    } finally {
      this.#count -= 1;
      if (this.#count === 0) this.#onIdle();
    }
  };

  /** Waits until none is left, but not longer than this many milliseconds. */
  async drained(longest: number): Promise<void> {
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, longest);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
