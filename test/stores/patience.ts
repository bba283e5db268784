/** The time that stores may take to answer in tests. */
import { getStorePatience, setStorePatience } from '../../src/stores/deadline.ts';

/** In milliseconds. Long enough that a working store does not look broken on a slow machine. */
export const GENEROUS = 30_000;

/** In milliseconds. Short, for tests in which a store hangs on purpose. */
export const SHORT = 100;

/** Registers hooks that set the time that stores may take during the tests of a suite. */
export function storesMayTake(milliseconds: number): void {
  let usual: number | undefined;
  before(() => {
    usual = getStorePatience();
    setStorePatience(milliseconds);
  });
  after(() => setStorePatience(usual));
}

/** The calls of {@link whileStoresMayTake} that have not ended. The innermost one is last. */
const calls: symbol[] = [];

/**
 * Sets the time that stores may take while the function runs.
 * @throws Error if two calls overlap without one being inside the other: the usual time would not be restored
 */
export async function whileStoresMayTake<T>(milliseconds: number, act: () => Promise<T>): Promise<T> {
  const usual = getStorePatience();
  const call = Symbol('whileStoresMayTake');
  calls.push(call);
  setStorePatience(milliseconds);
  try {
    return await act();
  } finally {
    setStorePatience(usual);
    const isInnermost = calls.at(-1) === call;
    calls.splice(calls.indexOf(call), 1);
    if (!isInnermost) failOverlapping();
  }
}

function failOverlapping(): never {
  throw new Error('whileStoresMayTake was called twice at the same time');
}
