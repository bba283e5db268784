import type { Keyv } from 'keyv';
import { getStorePatience } from '../deadline.ts';
import { asKeyv6 } from '../keyv-version.ts';
import { failLoudly, write } from './fail-loudly.ts';
import { isInMemory, type MapEntry, plainMapOf, prefixOf, textOf } from './in-memory.ts';

/** A stored value and its expiry time (milliseconds since the epoch), if it has one. */
export interface StoredValue<T> {
  readonly value: T;
  readonly expires?: number | null | undefined;
}

/** The values in a Keyv. Times to live are in milliseconds; undefined means that a value never expires. */
export interface Values {
  /** The engine's name in the metrics. */
  readonly engine: 'memory' | 'keyv';

  /** Returns the milliseconds that an access may take; `Infinity` for values in the memory of this process. */
  readonly patience: () => number;

  get<T>(key: string): Promise<T | undefined>;

  /** Returns the value with its expiry time. */
  getWithExpiry<T>(key: string): Promise<StoredValue<T> | undefined>;

  /** Writes a value. @throws Error if it was not written */
  set(key: string, value: unknown, ttl: number | undefined): Promise<void>;

  delete(key: string): Promise<void>;
}

export function valuesOf(keyv: Keyv): Values {
  const map = plainMapOf(keyv);
  if (map === undefined) return new AnyValues(failLoudly(keyv));
  return new ValuesInMemory(map, prefixOf(keyv), asKeyv6(keyv) !== undefined);
}

class AnyValues implements Values {
  readonly engine: 'memory' | 'keyv';
  readonly patience = getStorePatience;
  readonly #keyv: Keyv;

  constructor(keyv: Keyv) {
    this.engine = isInMemory(keyv) ? 'memory' : 'keyv';
    this.#keyv = keyv;
  }

  get<T>(key: string): Promise<T | undefined> {
    return this.#keyv.get<T>(key);
  }

  async getWithExpiry<T>(key: string): Promise<StoredValue<T> | undefined> {
    // Keyv 5 calls its hooks for `get` only with this option, which Keyv 6 does not have any more.
    const stored = await (asKeyv6(this.#keyv) ? this.#keyv.getRaw<T>(key) : this.#keyv.get<T>(key, { raw: true }));
    return stored?.value === undefined ? undefined : { value: stored.value, expires: stored.expires };
  }

  set(key: string, value: unknown, ttl: number | undefined): Promise<void> {
    return write(this.#keyv, key, value, ttl);
  }

  async delete(key: string): Promise<void> {
    await this.#keyv.delete(key);
  }
}

/**
 * The values in the Map of an in-memory Keyv, in Keyv's own format, so that the Keyv can read them too. They are not
 * read and written with the Keyv, because it checks each string of a value for an encoded `Buffer`. That took most of
 * the time of a request, and the values here hold no `Buffer`.
 */
class ValuesInMemory implements Values {
  readonly engine = 'memory';
  readonly patience = (): number => Number.POSITIVE_INFINITY;
  readonly #map: Map<string, unknown>;
  readonly #prefix: string;
  readonly #hasEntries: boolean;

  /** @param hasEntries true for the Map of a Keyv 6, which keeps the expiry time beside the text as well */
  constructor(map: Map<string, unknown>, prefix: string, hasEntries: boolean) {
    this.#map = map;
    this.#prefix = prefix;
    this.#hasEntries = hasEntries;
  }

  async get<T>(key: string): Promise<T | undefined> {
    return this.#read<T>(key)?.value;
  }

  async getWithExpiry<T>(key: string): Promise<StoredValue<T> | undefined> {
    return this.#read<T>(key);
  }

  async set(key: string, value: unknown, ttl: number | undefined): Promise<void> {
    const expires = ttl === undefined ? undefined : Date.now() + ttl;
    const text = JSON.stringify({ value, expires } satisfies StoredValue<unknown>);
    this.#map.set(this.#prefix + key, this.#hasEntries ? ({ value: text, expires } satisfies MapEntry) : text);
  }

  async delete(key: string): Promise<void> {
    this.#map.delete(this.#prefix + key);
  }

  /** Returns a value if it has not expired; otherwise deletes it, as Keyv does. */
  #read<T>(key: string): StoredValue<T> | undefined {
    const text = textOf(this.#map.get(this.#prefix + key));
    if (text === undefined) return undefined;
    const kept: StoredValue<T> = JSON.parse(text);
    if (typeof kept.expires !== 'number' || Date.now() <= kept.expires) return kept;
    this.#map.delete(this.#prefix + key);
    return undefined;
  }
}
