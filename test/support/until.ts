import { setTimeout as pause } from 'node:timers/promises';

/** The first pause between two looks, and the longest one: what takes long is not asked about all the time. */
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [5, 100];

/** Below Mocha's time-out of 60 s, so that a failure says what was waited for. No machine is so slow that it matters. */
const PATIENCE_MS = 50_000;

/**
 * Waits until a condition is true that no event tells of.
 * @param patience milliseconds; it only ends a test that hangs
 * @throws Error if the condition does not become true
 */
export async function until(isSo: () => boolean | Promise<boolean>, patience: number = PATIENCE_MS): Promise<void> {
  await eventually(`${isSo}`, isSo, patience);
}

/** Does the same as {@link until}, with a name for the condition. */
export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  patience: number = PATIENCE_MS,
): Promise<void> {
  const latest = performance.now() + patience;
  let between = FIRST_PAUSE_MS;
  while (!(await isSo())) {
    if (performance.now() > latest) throw new Error(`not so after ${patience} ms: ${what}`);
    await pause(between);
    between = Math.min(1.5 * between, LONGEST_PAUSE_MS);
  }
}
