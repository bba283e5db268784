/**
 * Selects tests for the two suites. `npm test` runs the short suite, which tests every fact once. `npm run test:full`
 * runs the long suite, which adds repetition. If all tests of a file belong to the long suite, the file is named
 * `*.full.test.ts` instead.
 */

/** True in `npm run test:full`, false in `npm test`. */
export const isFullSuite: boolean = process.env.TEST_SUITE === 'full';

/** Registers tests that only `npm run test:full` runs: `inFullSuite(() => it('…', …))`. */
export function inFullSuite(register: () => void): void {
  if (isFullSuite) register();
}

/** Returns all entries of a list in the full suite, and the first ones in the short suite. */
export function allOrFirst<T>(list: readonly T[], first = 1): readonly T[] {
  return isFullSuite ? list : list.slice(0, first);
}

/** Returns a size, such as a number of rounds, for the suite that runs. */
export function sizeOfSuite<T>({ short, full }: { readonly short: T; readonly full: T }): T {
  return isFullSuite ? full : short;
}
