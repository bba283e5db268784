/** How often properties are tried. `FC_RUNS` multiplies that, and `FC_SEED` repeats a run that failed. */
import type { Parameters } from 'fast-check';

export const TIMES: number = Number(process.env.FC_RUNS ?? 1);

/** fast-check prints the seed of what it found. */
export function runs<T>(number: number): Parameters<T> {
  const seed = process.env.FC_SEED;
  return {
    numRuns: Math.max(1, Math.round(number * TIMES)),
    // What is found is made smaller for so long and no longer, so that the test ends before its time-out.
    interruptAfterTimeLimit: 40_000 * Math.max(1, TIMES),
    ...(seed !== undefined && { seed: Number(seed) }),
  };
}

/** For a suite whose runs are multiplied: mocha's own limit is for one. */
export function patience(): number {
  return 60_000 * Math.max(1, TIMES);
}
