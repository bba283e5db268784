import { Keyv } from 'keyv';

/** Whether this Keyv holds its values in the memory of this process, as `new Keyv()` does. */
export function isInMemory(keyv: Keyv): boolean {
  return keyv.store instanceof Map;
}

/** The Map of a Keyv in memory that writes its values down as Keyv does where nobody has said another way. */
export function plainMapOf({
  store,
  serialize,
  deserialize,
  compression,
  ttl,
}: Keyv): Map<string, unknown> | undefined {
  const isPlain = serialize === AS_IT_COMES.serialize && deserialize === AS_IT_COMES.deserialize;
  return store instanceof Map && isPlain && compression === undefined && ttl === undefined ? store : undefined;
}

/** What the keys in that Map begin with. */
export function prefixOf({ useKeyPrefix, namespace }: Keyv): string {
  return useKeyPrefix && namespace ? `${namespace}:` : '';
}

const AS_IT_COMES = new Keyv();
