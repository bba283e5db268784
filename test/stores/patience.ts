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

/** Lets stores take that long while the function runs. */
export async function whileStoresMayTake<T>(milliseconds: number, act: () => Promise<T>): Promise<T> {
  const usual = getStorePatience();
  setStorePatience(milliseconds);
  try {
    return await act();
  } finally {
    setStorePatience(usual);
  }
}
