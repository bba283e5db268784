/** What is to be looked at, at a time of its own. */
export interface Timed {
  /** Milliseconds since the epoch; it may move. */
  readonly nextAt: number;
  /** Where the wheel has it; undefined where it does not. */
  slot: number | undefined;
  /** Called when its time may have come; it is off the wheel then. */
  tick(now: number): void;
}

/**
 * Ten thousands that wait, each for a time of its own, on one timer: what is due lies in a slot of time, and nothing else is looked
 * at. What is put to a later time stays where it is, and is moved on by being put again when its slot comes.
 */
export class TimerWheel<T extends Timed> {
  readonly #width: number;
  readonly #slots = new Map<number, Set<T>>();
  #turned: number;

  /** @param width of a slot, in milliseconds: nothing is looked at later than that */
  constructor(width: number, now: number) {
    this.#width = width;
    this.#turned = Math.floor(now / width);
  }

  get isEmpty(): boolean {
    return this.#slots.size === 0;
  }

  all(): T[] {
    return [...this.#slots.values()].flatMap((slot) => [...slot]);
  }

  put(timed: T): void {
    const slot = Math.max(Math.floor(timed.nextAt / this.#width), this.#turned + 1);
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

  /** Looks at what is due. */
  turn(now: number): void {
    const from = this.#turned + 1;
    this.#turned = Math.floor(now / this.#width);
    for (const slot of this.#between(from, this.#turned)) {
      for (const timed of this.#slots.get(slot) ?? []) {
        this.remove(timed);
        timed.tick(now);
      }
    }
  }

  #between(first: number, last: number): Iterable<number> {
    // Time may have jumped by more than there are slots.
    if (last - first > this.#slots.size) return [...this.#slots.keys()].filter((slot) => slot <= last);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  }
}
