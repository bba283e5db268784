import type { Context, Next } from 'koa';

/** Counts the requests that are being answered, so that a server can let them finish before it stops. */
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

  /** Waits until every request is answered, but not longer than `timeoutMs`. */
  async waitUntilIdle(timeoutMs: number): Promise<void> {
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
