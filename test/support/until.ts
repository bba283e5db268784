import { setTimeout as pause } from 'node:timers/promises';

/**
 * The first pause between two checks and the longest one. Pauses grow, so that a slow condition is not checked all the
 * time.
 */
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [5, 100];

/** Below Mocha's time-out, so that a failure names the condition. It is long enough for the slowest machine. */
const PATIENCE_MS = 50_000;

/**
 * Waits until a condition is true, for conditions that no event announces.
 * @param patience the longest wait in milliseconds. It only ends a test that hangs.
 * @throws Error if the condition does not become true
 */
export async function until(isSo: () => boolean | Promise<boolean>, patience: number = PATIENCE_MS): Promise<void> {
  await eventually(`${isSo}`, isSo, patience);
}

/** Does the same as {@link until}. An error quotes `what`, the name of the condition. */
export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  patience: number = PATIENCE_MS,
): Promise<void> {
  const latest = performance.now() + patience;
  let between = FIRST_PAUSE_MS;
  while (!(await isSo())) {
    if (performance.now() > latest) throw new Error(`not true after ${patience} ms: ${what}`);
    await pause(between);
    between = Math.min(1.5 * between, LONGEST_PAUSE_MS);
  }
}
