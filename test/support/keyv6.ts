/**
 * Keyv 6, beside the Keyv 5 of the other tests. The plugin's types are those of the installed
 * Keyv, which is 5 here.
 */
import KeyvRedis from '@keyv/redis';
import type { Keyv } from 'keyv';
import { importFrom, install } from '../hosts/install.ts';

/** The options of a Keyv 6, which differ from those of a Keyv 5. */
type Keyv6Options = Readonly<Record<string, unknown>>;

/** Keyv 6 runs on Node 20, but does not officially support it, so that it cannot be a development dependency. */
const { Keyv: Keyv6 } = (await importFrom(install('keyv6', { keyv: '6.1.0' }), 'keyv')) as {
  Keyv: new (options: Keyv6Options) => Keyv;
};

export function newKeyv6(options: Keyv6Options = {}): Keyv {
  return new Keyv6(options);
}

/**
 * Returns a Keyv 6 over Redis, with the backend of Keyv 5: that of Keyv 6 imports `keyv`, which is 5 here, and is tried
 * with the installed package. It has a connection of its own, which `disconnect()` closes.
 */
export function keyv6OverRedis(url: string, options: Keyv6Options = {}): Keyv {
  return newKeyv6({ ...options, store: new KeyvRedis(url) });
}
