import { QrLoginError } from '../ticket/errors.ts';
import { getStorePatience, withDeadline } from './deadline.ts';
import { findMeter, type Histogram } from './meter.ts';

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
    this.#duration = findMeter().createHistogram('qr_login.store.duration', {
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
      const answer = await withDeadline(answering, this.#patience());
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
