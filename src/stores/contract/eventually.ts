import { setTimeout as pause } from 'node:timers/promises';

const CHECK_EVERY_MS = 10;
/** The default wait, in milliseconds. It only ends a test that hangs. */
const PATIENCE_MS = 50_000;

/**
 * Waits for a condition that no event announces, by checking it again and again.
 * @param patience the longest wait in milliseconds
 * @throws Error that names the condition, if it does not become true
 */
export async function eventually(
  condition: string,
  isTrue: () => boolean | Promise<boolean>,
  patience: number = PATIENCE_MS,
): Promise<void> {
  const latest = performance.now() + patience;
  while (!(await isTrue())) {
    if (performance.now() > latest) throw new Error(`not so after ${patience} ms: ${condition}`);
    await pause(CHECK_EVERY_MS);
  }
}
