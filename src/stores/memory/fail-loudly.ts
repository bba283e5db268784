import type { Keyv } from 'keyv';

/** Makes a Keyv and its backend throw errors. By default they only emit them, and a lost write looks like a success. */
export function failLoudly(keyv: Keyv): Keyv {
  keyv.throwOnErrors = true;
  const backend: unknown = keyv.store;
  if (typeof backend === 'object' && backend !== null && 'throwOnErrors' in backend) backend.throwOnErrors = true;
  return keyv;
}

/** Writes a value. @throws Error if the backend did not write it */
export async function write(keyv: Keyv, key: string, value: unknown, ttl: number | undefined): Promise<void> {
  if (!(await keyv.set(key, value, ttl))) throw new Error(`the store did not write ${key.split(':')[0]}`);
}
