import { type Histogram, metrics } from '@opentelemetry/api';
import { QrLoginError } from '../ticket/errors.ts';

/** How long a store may take to answer, in milliseconds: whoever waits for it hears within two seconds. */
export const PATIENCE = 1_000;

let storePatience = PATIENCE;

/** Returns how long a store of this process may take to answer, in milliseconds: {@link PATIENCE}, unless it was set. */
export function getStorePatience(): number {
  return storePatience;
}

/**
 * Sets how long the stores of this process may take to answer, from the next access on. Tests do so: a short time where a store hangs on
 * purpose, a long one where a slow machine must not look like a broken store.
 * @param milliseconds {@link PATIENCE} by default
 */
export function setStorePatience(milliseconds: number = PATIENCE): void {
  storePatience = milliseconds;
}

/** The name of this package among a deployment's OpenTelemetry meters. */
export const METER = 'oidc-provider-qr-login';

/** In seconds: a store in this process takes microseconds, one that takes a second is out of reach. */
const BOUNDARIES = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** Every access to a store: bounded in time, measured, and loud where it fails. */
export class Access {
  readonly #duration: Histogram;
  readonly #engine: string;
  readonly #patience: () => number;

  /**
   * @param engine what the store is, as the metrics have it
   * @param patience in milliseconds; `Infinity` for what lies in the memory of this process, which answers as soon as it is asked
   */
  constructor(engine: string, patience: () => number = getStorePatience) {
    this.#engine = engine;
    this.#patience = patience;
    this.#duration = metrics.getMeter(METER).createHistogram('qr_login.store.duration', {
      unit: 's',
      description: 'How long the store took to answer.',
      advice: { explicitBucketBoundaries: BOUNDARIES },
    });
  }

  /**
   * @param onLate told of an answer that came when nobody waited for it any more
   * @throws QrLoginError `store_unavailable` where there is no good answer in time; what was begun may still happen
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

/** Redis says what it is in capitals (`OOM`, `READONLY`); other errors by their class. */
function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return /^[A-Z]{3,}\b/.exec(error.message)?.[0] ?? error.constructor.name;
}

export function unavailable(cause?: unknown): QrLoginError {
  return new QrLoginError('store_unavailable', 'The sign-in cannot be looked up right now. Try again.', { cause });
}

/** Thrown at whoever has waited long enough. */
export class TooLate extends Error {
  override readonly name = 'TooLate';

  constructor(patience: number = storePatience) {
    super(`there was no answer within ${patience} ms`);
  }
}

/**
 * @param patience in milliseconds; `Infinity` for no bound
 * @throws TooLate where the work takes longer; it goes on, and nobody hears of it any more
 */
export function within<T>(work: Promise<T>, patience: number = storePatience): Promise<T> {
  if (patience === Number.POSITIVE_INFINITY) return work;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      // This process may have been held up itself: what has arrived meanwhile is read before anybody gives up.
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
