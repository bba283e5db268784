/** How long stores may take to answer in tests. */
import { getStorePatience, setStorePatience } from '../../src/stores/access.ts';

/** In milliseconds: a store that works is not taken for a broken one, however slow the machine is. */
export const GENEROUS = 30_000;

/** In milliseconds: a store that hangs on purpose is given up soon. */
export const SHORT = 100;

/** Registers hooks that let stores take that long during the tests of a suite. */
export function storesMayTake(milliseconds: number): void {
  let usual: number | undefined;
  before(() => {
    usual = getStorePatience();
    setStorePatience(milliseconds);
  });
  after(() => setStorePatience(usual));
}

/** The calls of {@link whileStoresMayTake} that have not ended, the innermost last. */
const calls: symbol[] = [];

/**
 * Lets stores take that long while the function runs.
 * @throws Error if two such functions overlap without one being inside the other: the usual time would not come back
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
