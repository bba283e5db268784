/**
 * Keyv 6, beside the Keyv 5 of the other tests. The plugin's types are those of the installed
 * Keyv, which is 5 here.
 */
import KeyvRedis from '@keyv/redis';
import type { Keyv } from 'keyv';
import { Keyv as Keyv6, type KeyvOptions } from 'keyv6';

export function newKeyv6(options: KeyvOptions = {}): Keyv {
  const keyv: unknown = new Keyv6(options);
  return keyv as Keyv;
}

/**
 * Returns a Keyv 6 over Redis, with the backend of Keyv 5: that of Keyv 6 imports `keyv`, which is 5 here, and is tried
 * with the installed package. It has a connection of its own, which `disconnect()` closes.
 */
export function keyv6OverRedis(url: string, options: KeyvOptions = {}): Keyv {
  return newKeyv6({ ...options, store: new KeyvRedis(url) });
}
