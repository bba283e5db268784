/** A write that has succeeded counts for this time. */
const GOOD_FOR_MS = 1_000;

/**
 * Finds out if a store takes writes, because a store that is full or read-only still answers. It writes at most once a
 * second, but after a failed write the next call writes again. Concurrent callers share one write.
 */
export class WriteProbe {
  readonly #write: () => Promise<unknown>;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> | undefined;

  constructor(write: () => Promise<unknown>) {
    this.#write = write;
  }

  /** Resolves if the store has taken a write within the last second. @throws the error of the write */
  async assertWritable(): Promise<void> {
    if (performance.now() - this.#writtenAt < GOOD_FOR_MS) return;
    this.#writing ??= this.#probe();
    await this.#writing;
  }

  async #probe(): Promise<void> {
    try {
      await this.#write();
      this.#writtenAt = performance.now();
    } finally {
      this.#writing = undefined;
    }
  }
}
