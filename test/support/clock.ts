/** A clock that runs with the real one, and can be put forward. */
export class TestClock {
  #ahead = 0;

  readonly now = (): number => Date.now() + this.#ahead;

  forward(seconds: number): void {
    this.#ahead += seconds * 1000;
  }
}
