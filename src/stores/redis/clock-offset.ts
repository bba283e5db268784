/**
 * How far another clock is ahead of this process's. What agrees with the last comparison stays as it is, so that time does not
 * jump.
 */
export class ClockOffset {
  #ahead = 0;

  /** In milliseconds. */
  get ahead(): number {
    return this.#ahead;
  }

  /** @param ask asks the other clock, in milliseconds since the epoch */
  async compare(ask: () => Promise<number>): Promise<void> {
    const asked = Date.now();
    const time = await ask();
    const answered = Date.now();
    // The time was taken somewhere between question and answer.
    const [least, most] = [time - answered, time - asked];
    if (this.#ahead < least || this.#ahead > most) this.#ahead = Math.round((least + most) / 2);
  }
}
