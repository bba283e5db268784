import type { Keyv } from 'keyv';

/** Keyv, and some of its backends, keep errors to themselves unless told otherwise: a lost write would look like a written one. */
export function failLoudly(keyv: Keyv): Keyv {
  keyv.throwOnErrors = true;
  const backend: unknown = keyv.store;
  if (typeof backend === 'object' && backend !== null && 'throwOnErrors' in backend) backend.throwOnErrors = true;
  return keyv;
}

/** @throws where the backend did not write */
export async function write(keyv: Keyv, key: string, value: unknown, ttl: number | undefined): Promise<void> {
  if (!(await keyv.set(key, value, ttl))) throw new Error(`the store did not write ${key.split(':')[0]}`);
}
