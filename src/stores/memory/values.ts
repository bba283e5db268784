import type { Keyv } from 'keyv';
import { getStorePatience } from '../access.ts';
import { failLoudly, write } from './fail-loudly.ts';
import { isInMemory, plainMapOf, prefixOf } from './in-memory.ts';

/** A value as it is kept, and when it expires by itself (milliseconds since the epoch), if it does. */
export interface Kept<T> {
  readonly value: T;
  readonly expires?: number | null | undefined;
}

/** What a Keyv keeps. Times to live are in milliseconds; undefined means without end. */
export interface Values {
  /** As the metrics have it. */
  readonly engine: 'memory' | 'keyv';

  /** How long they may take to answer, in milliseconds; `Infinity` for what nobody has to wait for. */
  readonly patience: () => number;

  get<T>(key: string): Promise<T | undefined>;

  /** The same with its time. */
  kept<T>(key: string): Promise<Kept<T> | undefined>;

  /** @throws where it was not written */
  set(key: string, value: unknown, ttl: number | undefined): Promise<void>;

  delete(key: string): Promise<void>;
}

export function valuesOf(keyv: Keyv): Values {
  const map = plainMapOf(failLoudly(keyv));
  return map === undefined ? new AnyValues(keyv) : new ValuesInMemory(map, prefixOf(keyv));
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

  async kept<T>(key: string): Promise<Kept<T> | undefined> {
    const stored = await this.#keyv.get<T>(key, { raw: true });
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
 * The Map of a Keyv in memory, in the form that Keyv gives it: whoever reads by the Keyv finds the same. Keyv itself looks at each string in a
 * value, both ways, in case it stands for a `Buffer`: that took most of the time of a request, and there is none in what is kept here.
 */
class ValuesInMemory implements Values {
  readonly engine = 'memory';
  readonly patience = (): number => Number.POSITIVE_INFINITY;
  readonly #map: Map<string, unknown>;
  readonly #prefix: string;

  constructor(map: Map<string, unknown>, prefix: string) {
    this.#map = map;
    this.#prefix = prefix;
  }

  async get<T>(key: string): Promise<T | undefined> {
    return this.#read<T>(key)?.value;
  }

  async kept<T>(key: string): Promise<Kept<T> | undefined> {
    return this.#read<T>(key);
  }

  async set(key: string, value: unknown, ttl: number | undefined): Promise<void> {
    const expires = ttl === undefined ? undefined : Date.now() + ttl;
    this.#map.set(this.#prefix + key, JSON.stringify({ value, expires } satisfies Kept<unknown>));
  }

  async delete(key: string): Promise<void> {
    this.#map.delete(this.#prefix + key);
  }

  /** As Keyv does it: what has expired is dropped by whoever comes upon it. */
  #read<T>(key: string): Kept<T> | undefined {
    const stored = this.#map.get(this.#prefix + key);
    if (typeof stored !== 'string') return undefined;
    const kept: Kept<T> = JSON.parse(stored);
    if (typeof kept.expires !== 'number' || Date.now() <= kept.expires) return kept;
    this.#map.delete(this.#prefix + key);
    return undefined;
  }
}
