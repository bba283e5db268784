/** Steps the clock of a program while it runs, by a library that gcc builds and that the program preloads. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('clock-step.c', import.meta.url));

export class ClockStep {
  readonly #folder = mkdtempSync(join(tmpdir(), 'qr-login-clock-'));
  readonly #file = join(this.#folder, 'step');
  readonly #descriptor = openSync(this.#file, 'w');
  /** The environment variables of the program. */
  readonly env: NodeJS.ProcessEnv;

  constructor() {
    const library = join(this.#folder, 'clock-step.so');
    execFileSync('/usr/bin/gcc', ['-shared', '-fPIC', '-O1', '-o', library, SOURCE, '-ldl']);
    this.set(0);
    this.env = { LD_PRELOAD: library, CLOCK_STEP_FILE: this.#file };
  }

  /**
   * Sets the number of seconds by which the program's clock is ahead of the machine's clock. A negative number sets it
   * behind.
   */
  set(seconds: number): void {
    // Write in place, because the program has mapped the file.
    writeSync(this.#descriptor, new BigInt64Array([BigInt(seconds)]), 0, 8, 0);
  }

  stop(): void {
    closeSync(this.#descriptor);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
