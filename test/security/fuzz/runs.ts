/**
 * The number of runs of each property. In the short suite the runs are the same each time; in the long suite they begin
 * with another seed each time. fast-check prints the seed of a failure: `FC_SEED=<seed>` repeats that run, and
 * `FC_RUNS=10` makes ten times as many runs.
 */
import type { Parameters } from 'fast-check';
import { isFullSuite, sizeOfSuite } from '../../support/full-suite.ts';

/** With this seed, the short suite meets every kind of request and every ending; the tests check that. */
export const SEED = 1;

const TIMES = Number(process.env.FC_RUNS ?? 1);

/** A time-out that ends only tests that hang. Mocha's default is too short for the long suite on a busy machine. */
const TIMEOUT_MS: number = sizeOfSuite({ short: 60_000, full: 600_000 }) * Math.max(1, TIMES);

/** Returns the parameters of fast-check for this number of runs. */
export function runs<T>(sizes: { readonly short: number; readonly full: number }): Parameters<T> {
  const seed = process.env.FC_SEED ?? (isFullSuite ? undefined : SEED);
  return {
    numRuns: Math.max(1, Math.round(sizeOfSuite(sizes) * TIMES)),
    // Shrinking a failure stops in time for the report to be printed. Runs that are cut short are a failure, too.
    interruptAfterTimeLimit: TIMEOUT_MS * 0.75,
    markInterruptAsFailure: true,
    ...(seed !== undefined && { seed: Number(seed) }),
  };
}

/** Returns the time-out, in milliseconds, of a suite that tries properties. */
export function patience(): number {
  return TIMEOUT_MS;
}
