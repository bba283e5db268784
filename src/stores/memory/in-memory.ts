import type { Keyv } from 'keyv';
import { ownFormatOf } from '../keyv-format.ts';
import { asKeyv6 } from '../keyv-version.ts';

/** The adapter in which Keyv 6 wraps a Map. */
interface MapAdapter {
  readonly store: Map<string, unknown>;
  readonly namespace: string | undefined;
  readonly namespaceSeparator: string;
}

/** A value in the Map of a Keyv 6. */
export interface MapEntry {
  readonly value: string;
  readonly expires: number | undefined;
}

/** Returns true if this Keyv holds its values in the memory of this process, as `new Keyv()` does. */
export function isInMemory(keyv: Keyv): boolean {
  return mapOf(keyv) !== undefined;
}

/** Returns the Map of an in-memory Keyv; undefined for any other Keyv. */
export function mapOf(keyv: Keyv): Map<string, unknown> | undefined {
  const store: unknown = keyv.store;
  if (store instanceof Map) return store;
  return isMapAdapter(store) ? store.store : undefined;
}

/**
 * Returns the Map of an in-memory Keyv; undefined if its serializer, compression, encryption or ttl is not Keyv's
 * default, or if it has hooks or cleans its keys. A deployment has to set these before it passes the Keyv on.
 */
export function plainMapOf(keyv: Keyv): Map<string, unknown> | undefined {
  if (keyv.ttl !== undefined || asKeyv6(keyv)?.sanitize.enabled) return undefined;
  return ownFormatOf(keyv).length === 0 ? mapOf(keyv) : undefined;
}

/** Returns the prefix of all keys of this Keyv in the Map of {@link mapOf}. */
export function prefixOf(keyv: Keyv): string {
  const store: unknown = keyv.store;
  // Use the adapter's namespace, because a Keyv does not pass its own namespace on to its default adapter.
  if (isMapAdapter(store)) return store.namespace ? `${store.namespace}${store.namespaceSeparator}` : '';
  return keyv.useKeyPrefix && keyv.namespace ? `${keyv.namespace}:` : '';
}

/** Returns the JSON of a value in that Map: Keyv 5 stores the JSON alone, Keyv 6 stores it in a {@link MapEntry}. */
export function textOf(stored: unknown): string | undefined {
  const text = typeof stored === 'object' && stored !== null && 'value' in stored ? stored.value : stored;
  return typeof text === 'string' ? text : undefined;
}

function isMapAdapter(store: unknown): store is MapAdapter {
  if (typeof store !== 'object' || store === null || !('namespaceSeparator' in store)) return false;
  return 'store' in store && store.store instanceof Map;
}
