/** Time that passes only when a test says so, for code that uses timers, `Date.now` and `performance.now`. */
import { mock } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** The step in which time passes, in milliseconds. No timer is late by more than this. */
const STEP_MS = 5;

export class VirtualTime {
  #passed = 0;
  readonly #began = performance.now();

  /** Stops the time of this process. */
  static begin(): VirtualTime {
    return new VirtualTime();
  }

  private constructor() {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: Date.now() });
    mock.method(performance, 'now', () => this.#began + this.#passed);
  }

  /** Lets time pass, and runs the timers that fire in it. */
  async pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += STEP_MS) {
      this.#passed += STEP_MS;
      mock.timers.tick(STEP_MS);
      // Promises and I/O callbacks that follow from a timer run before more time passes.
      for (let turns = 0; turns < 3; turns++) await nextTurn();
    }
  }

  /** Restores real time. */
  end(): void {
    mock.restoreAll();
    mock.timers.reset();
  }
}
