import { setTimeout as pause } from 'node:timers/promises';

/** How long something may take that is bounded by nothing else, in milliseconds. */
const PATIENCE = 10_000;
const BETWEEN = 10;

/** Waits for what nobody tells of. @returns how long that took, in milliseconds; @throws where it takes too long */
export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  patience: number = PATIENCE,
): Promise<number> {
  const began = performance.now();
  while (!(await isSo())) {
    if (performance.now() - began > patience) throw new Error(`${what}: not within ${patience} ms`);
    await pause(BETWEEN);
  }
  return performance.now() - began;
}

/** How long something takes, whether it succeeds or fails, in milliseconds. */
export async function timeOf(work: Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work.catch(() => undefined);
  return performance.now() - began;
}
