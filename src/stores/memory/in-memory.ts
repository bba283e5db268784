import { Keyv } from 'keyv';

/** Returns true if this Keyv holds its values in the memory of this process, as `new Keyv()` does. */
export function isInMemory(keyv: Keyv): boolean {
  return keyv.store instanceof Map;
}

/** Returns the Map of an in-memory Keyv; undefined if its serializer, compression or ttl is not Keyv's default. */
export function plainMapOf({
  store,
  serialize,
  deserialize,
  compression,
  ttl,
}: Keyv): Map<string, unknown> | undefined {
  const isPlain = serialize === DEFAULTS.serialize && deserialize === DEFAULTS.deserialize;
  return store instanceof Map && isPlain && compression === undefined && ttl === undefined ? store : undefined;
}

/** Returns the prefix of all keys of this Keyv in that Map. */
export function prefixOf({ useKeyPrefix, namespace }: Keyv): string {
  return useKeyPrefix && namespace ? `${namespace}:` : '';
}

const DEFAULTS = new Keyv();
