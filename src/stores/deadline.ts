/**
 * The default time that a store may take to answer, in milliseconds. It is short enough that a request which needs the
 * store is answered within two seconds.
 */
export const PATIENCE_MS = 1_000;

let storePatience = PATIENCE_MS;

/** Returns the milliseconds that a store of this process may take to answer: {@link PATIENCE_MS} by default. */
export function getStorePatience(): number {
  return storePatience;
}

/**
 * Sets how long the stores of this process may take to answer, from the next access on. Only tests call it: with a
 * short time if a store hangs on purpose, and with a long one if a slow machine must not look like a broken store.
 * @param milliseconds {@link PATIENCE_MS} by default
 */
export function setStorePatience(milliseconds: number = PATIENCE_MS): void {
  storePatience = milliseconds;
}

/** The error of an access that took longer than it may. */
export class TooLate extends Error {
  override readonly name = 'TooLate';

  constructor(patience: number = storePatience) {
    super(`there was no answer within ${patience} ms`);
  }
}

/**
 * Waits for the work, but not longer than the given time.
 * @param patience in milliseconds; `Infinity` for no limit
 * @throws TooLate if the work takes longer. The work goes on, and its result is dropped.
 */
export function withDeadline<T>(work: Promise<T>, patience: number = storePatience): Promise<T> {
  if (patience === Number.POSITIVE_INFINITY) return work;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      // This process may have been blocked itself: let it read an answer that has arrived meanwhile before it gives up.
      setImmediate(() => reject(new TooLate(patience)));
    }, patience);
    work.then(
      (answer) => {
        clearTimeout(timer);
        resolve(answer);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
