/** The number of entries that a cache holds by default. */
const MAX_ENTRIES = 1_000;
/** The longest key in characters. Longer ones are not cached, so that a client cannot fill the memory. */
const MAX_KEY_LENGTH = 512;

/** A bounded cache for values that depend only on a text, such as the parsed user agent of a request. */
export class BoundedCache<Value> {
  readonly #values = new Map<string, Value>();
  readonly #maxEntries: number;

  /** @param maxEntries the oldest entry is dropped when there are more */
  constructor(maxEntries: number = MAX_ENTRIES) {
    this.#maxEntries = maxEntries;
  }

  /**
   * Returns the value for a text, computed if it is not cached yet.
   * @param compute must always return the same for the same text
   */
  getOrCompute(text: string, compute: (text: string) => Value): Value {
    const cached = this.#values.get(text);
    if (cached !== undefined) return cached;
    const value = compute(text);
    if (text.length > MAX_KEY_LENGTH) return value;
    // A Map keeps the order in which entries were added.
    const [oldest] = this.#values.size < this.#maxEntries ? [] : this.#values.keys();
    if (oldest !== undefined) this.#values.delete(oldest);
    this.#values.set(text, value);
    return value;
  }
}
