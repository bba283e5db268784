/** Calls functions in order, each after a delay, and none while the line is held. */
export class DelayLine {
  readonly #waiting: { readonly due: number; readonly pass: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #held = false;

  /** Adds a function to call. @param latency the delay in milliseconds */
  push(latency: number, pass: () => void): void {
    this.#waiting.push({ due: performance.now() + latency, pass });
    this.#run();
  }

  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#run();
  }

  drop(): void {
    this.#waiting.length = 0;
    clearTimeout(this.#timer);
  }

  #run(): void {
    clearTimeout(this.#timer);
    if (this.#held) return;
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      const left = first.due - performance.now();
      if (left > 0) {
        // Round up: a timer may fire a fraction of a millisecond early.
        this.#timer = setTimeout(() => this.#run(), Math.ceil(left));
        return;
      }
      this.#waiting.shift();
      first.pass();
    }
  }
}
