/**
 * The offset between another clock and the clock of this process. A comparison that agrees with the current offset does
 * not change it, so that time does not jump.
 */
export class ClockOffset {
  #ahead = 0;

  /** The milliseconds that the other clock is ahead; negative if it is behind. */
  get ahead(): number {
    return this.#ahead;
  }

  /** Compares the two clocks. @param ask returns the time of the other clock, in milliseconds since the epoch */
  async compare(ask: () => Promise<number>): Promise<void> {
    const sentAt = Date.now();
    const time = await ask();
    const receivedAt = Date.now();
    // The other clock was read at some moment between question and answer, so the offset lies between these two.
    const [least, most] = [time - receivedAt, time - sentAt];
    if (this.#ahead < least || this.#ahead > most) this.#ahead = Math.round((least + most) / 2);
  }
}
