/** A clock that a test can move forward. */
export interface AdjustableClock {
  readonly now: () => number;
  forward(seconds: number): void;
}

/** A clock that runs with the real one, and can be moved forward. */
export class TestClock implements AdjustableClock {
  #ahead = 0;

  readonly now = (): number => Date.now() + this.#ahead;

  forward(seconds: number): void {
    this.#ahead += seconds * 1000;
  }
}

/** A clock that stands still until it is moved forward, so that nothing rotates or expires by itself. */
export class StillClock implements AdjustableClock {
  #now: number = Date.now();

  readonly now = (): number => this.#now;

  forward(seconds: number): void {
    this.#now += seconds * 1000;
  }
}
