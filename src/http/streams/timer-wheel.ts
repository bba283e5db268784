/** An entry of a {@link TimerWheel}. */
export interface WheelEntry {
  /** The time of the next callback, in milliseconds since the epoch. It may change. */
  readonly nextAt: number;
  /** The slot that holds the entry; undefined if it is not on the wheel. Written by the wheel only. */
  slot: number | undefined;
  /** Called when `nextAt` may have passed. The entry is not on the wheel any more. */
  tick(now: number): void;
}

/**
 * Calls each entry back at its `nextAt`, with one timer for tens of thousands of entries. Each entry lies in a slot of
 * time, and only slots that are due are visited. An entry that is put again with a later time stays in its slot: it is
 * called back too early, and moves to a later slot when its callback puts it again.
 */
export class TimerWheel<T extends WheelEntry> {
  readonly #widthMs: number;
  readonly #slots = new Map<number, Set<T>>();
  #lastSlot: number;

  /**
   * @param widthMs the width of a slot in milliseconds. If `turn` is called at this interval, a callback is late by one
   * interval at most
   */
  constructor(widthMs: number, now: number) {
    this.#widthMs = widthMs;
    this.#lastSlot = Math.floor(now / widthMs);
  }

  get isEmpty(): boolean {
    return this.#slots.size === 0;
  }

  all(): T[] {
    return [...this.#slots.values()].flatMap((slot) => [...slot]);
  }

  put(timed: T): void {
    const slot = Math.max(Math.floor(timed.nextAt / this.#widthMs), this.#lastSlot + 1);
    if (timed.slot !== undefined && timed.slot <= slot) return;
    this.remove(timed);
    timed.slot = slot;
    const others = this.#slots.get(slot);
    if (others === undefined) this.#slots.set(slot, new Set([timed]));
    else others.add(timed);
  }

  remove(timed: T): void {
    if (timed.slot === undefined) return;
    const others = this.#slots.get(timed.slot);
    others?.delete(timed);
    if (others?.size === 0) this.#slots.delete(timed.slot);
    timed.slot = undefined;
  }

  /** Calls back the entries of all slots up to `now`. */
  turn(now: number): void {
    const from = this.#lastSlot + 1;
    this.#lastSlot = Math.floor(now / this.#widthMs);
    for (const slot of this.#between(from, this.#lastSlot)) {
      for (const timed of this.#slots.get(slot) ?? []) {
        this.remove(timed);
        timed.tick(now);
      }
    }
  }

  #between(first: number, last: number): Iterable<number> {
    // The clock may have jumped: visit the slots that exist rather than every slot of that time.
    if (last - first > this.#slots.size) return [...this.#slots.keys()].filter((slot) => slot <= last);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  }
}
