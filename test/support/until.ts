import { setTimeout as pause } from 'node:timers/promises';

const EVERY = 20;

/** Waits for what nobody tells of. @throws where it does not come true in time */
export async function until(isSo: () => boolean | Promise<boolean>, patience: number = 8_000): Promise<void> {
  const latest = performance.now() + patience;
  while (!(await isSo())) {
    if (performance.now() > latest) throw new Error(`this is not so after ${patience} ms: ${isSo}`);
    await pause(EVERY);
  }
}
