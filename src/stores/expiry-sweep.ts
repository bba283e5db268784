import type { Keyv } from 'keyv';

const EVERY = 10_000;

/**
 * Keyv's in-memory Map keeps what has expired until somebody reads it. This reads each key once its time has come, which
 * is all it takes, so memory is bounded by what is alive. Other backends expire by themselves and are left alone.
 */
export class ExpirySweep {
  readonly #keyv: Keyv;
  /** Keys by the ten seconds in which they expire. */
  readonly #due = new Map<number, Set<string>>();
  /** In which of them each key is: a key that is written again is due once, at its latest time. */
  readonly #slots = new Map<string, number>();
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(keyv: Keyv) {
    this.#keyv = keyv;
    if (!isInMemory(keyv)) return;
    this.#timer = setInterval(() => void this.sweep(Date.now()), EVERY);
    this.#timer.unref();
  }

  /** Remembers that `key` was written to live for `ttl` milliseconds. */
  watch(key: string, ttl: number): void {
    if (this.#timer === undefined) return;
    const slot = Math.floor((Date.now() + ttl) / EVERY) + 1;
    const before = this.#slots.get(key);
    if (before === slot) return;
    if (before !== undefined) this.#due.get(before)?.delete(key);
    this.#slots.set(key, slot);
    const keys = this.#due.get(slot);
    if (keys === undefined) this.#due.set(slot, new Set([key]));
    else keys.add(key);
  }

  /** Lets go of a key that was deleted before its time. */
  forget(key: string): void {
    const slot = this.#slots.get(key);
    if (slot === undefined) return;
    this.#slots.delete(key);
    this.#due.get(slot)?.delete(key);
  }

  /** Drops what has expired by `now`, in milliseconds since the epoch. */
  async sweep(now: number): Promise<void> {
    const current = Math.floor(now / EVERY);
    for (const [slot, keys] of this.#due) {
      if (slot > current) continue;
      this.#due.delete(slot);
      for (const key of keys) {
        this.#slots.delete(key);
        await this.#keyv.get(key);
      }
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** Whether this Keyv holds its values in the memory of this process, as `new Keyv()` does. */
export function isInMemory(keyv: Keyv): boolean {
  return keyv.store instanceof Map;
}
