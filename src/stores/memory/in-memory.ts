import type { Keyv } from 'keyv';
import { ownFormatOf } from '../keyv-format.ts';

/** Returns true if this Keyv holds its values in the memory of this process, as `new Keyv()` does. */
export function isInMemory(keyv: Keyv): boolean {
  return keyv.store instanceof Map;
}

/**
 * Returns the Map of an in-memory Keyv; undefined if its serializer, compression or ttl is not Keyv's default, or if it
 * has hooks. They have to be there before the plugin gets the Keyv.
 */
export function plainMapOf(keyv: Keyv): Map<string, unknown> | undefined {
  const { store, ttl } = keyv;
  return store instanceof Map && ttl === undefined && ownFormatOf(keyv).length === 0 ? store : undefined;
}

/** Returns the prefix of all keys of this Keyv in that Map. */
export function prefixOf({ useKeyPrefix, namespace }: Keyv): string {
  return useKeyPrefix && namespace ? `${namespace}:` : '';
}
