import { type Histogram, metrics } from '@opentelemetry/api';
import { QrLoginError } from '../ticket/errors.ts';

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

/** The name of this package's OpenTelemetry meter. */
export const METER = 'oidc-provider-qr-login';

/** Histogram buckets in seconds. A store in this process takes microseconds; one that takes a second is unavailable. */
const BOUNDARIES_S = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** Wraps every access to a store: limits its time, measures it, and turns every failure into `store_unavailable`. */
export class Access {
  readonly #duration: Histogram;
  readonly #engine: string;
  readonly #patience: () => number;

  /**
   * @param engine the engine's name in the metrics
   * @param patience the longest time in milliseconds; `Infinity` for values in the memory of this process, which
   *   answers at once
   */
  constructor(engine: string, patience: () => number = getStorePatience) {
    this.#engine = engine;
    this.#patience = patience;
    this.#duration = metrics.getMeter(METER).createHistogram('qr_login.store.duration', {
      unit: 's',
      description: 'How long the store took to answer.',
      advice: { explicitBucketBoundaries: BOUNDARIES_S },
    });
  }

  /**
   * Runs one access and returns its answer.
   * @param onLate called with an answer that arrives after this method has thrown
   * @throws QrLoginError `store_unavailable` if the access fails or takes too long; a write may still happen after that
   */
  async make<T>(operation: string, access: () => Promise<T>, onLate?: (answer: T) => void): Promise<T> {
    const began = performance.now();
    const attributes = { engine: this.#engine, operation };
    let answering: Promise<T> | undefined;
    try {
      answering = access();
      const answer = await within(answering, this.#patience());
      this.#duration.record((performance.now() - began) / 1000, attributes);
      return answer;
    } catch (cause) {
      this.#duration.record((performance.now() - began) / 1000, { ...attributes, 'error.type': typeOf(cause) });
      if (onLate !== undefined) answering?.then(onLate, () => undefined);
      throw unavailable(cause);
    }
  }
}

/** Returns a name for an error: the code with which a Redis error begins (`OOM`, `READONLY`), or the error's class. */
function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return /^[A-Z]{3,}\b/.exec(error.message)?.[0] ?? error.constructor.name;
}

export function unavailable(cause?: unknown): QrLoginError {
  return new QrLoginError('store_unavailable', 'The sign-in cannot be looked up right now. Try again.', { cause });
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
export function within<T>(work: Promise<T>, patience: number = storePatience): Promise<T> {
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
