import type { Keyv } from 'keyv';
import { asKeyv6, type Keyv6 } from '../keyv-version.ts';

/**
 * Returns a Keyv that throws errors, and makes its backend throw them. By default they are only emitted, and a lost
 * write looks like a success.
 */
export function failLoudly(keyv: Keyv): Keyv {
  const backend: unknown = keyv.store;
  for (const part of [backend, innerBackendOf(backend)]) {
    if (typeof part === 'object' && part !== null && 'throwOnErrors' in part) part.throwOnErrors = true;
  }
  const keyv6 = asKeyv6(keyv);
  if (keyv6 !== undefined) return makeThrowing(keyv, keyv6);
  keyv.throwOnErrors = true;
  return keyv;
}

/**
 * Returns a Keyv 6 over the same values, which throws the errors that the given one only emits. The given Keyv stays as
 * it is: an error that its backend emits outside of any access would end the process if it were thrown.
 */
function makeThrowing(keyv: Keyv, keyv6: Keyv6): Keyv {
  const emit = (event: string, ...values: unknown[]): void => {
    if (event !== 'error') return void keyv6.emit(event, ...values);
    try {
      keyv6.emit(event, ...values);
    } catch {
      // `emit` throws if there is no listener. The error is thrown below in any case.
    }
    throw values[0];
  };
  return Object.create(keyv, { emit: { value: emit } });
}

/** Returns the backend of Keyv 5 inside the adapter in which Keyv 6 wraps it; undefined if there is no such adapter. */
function innerBackendOf(backend: unknown): unknown {
  return typeof backend === 'object' && backend !== null && 'store' in backend ? backend.store : undefined;
}

/** Writes a value. @throws Error if the backend did not write it */
export async function write(keyv: Keyv, key: string, value: unknown, ttl: number | undefined): Promise<void> {
  if ((await keyv.set(key, value, ttl)) === false) throw new Error(`the store did not write ${key.split(':')[0]}`);
}
