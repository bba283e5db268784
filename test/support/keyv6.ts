/** Installs Keyv 6 beside the Keyv 5 that the other tests use. The types are those of Keyv 5. */
import KeyvRedis from '@keyv/redis';
import type { Keyv } from 'keyv';
import { importFrom, install } from '../hosts/install.ts';

/** The options of a Keyv 6, which differ from those of a Keyv 5. */
type Keyv6Options = Readonly<Record<string, unknown>>;

/** Keyv 6 runs on Node 20, but does not officially support Node 20. Therefore it is not a development dependency. */
const { Keyv: Keyv6 } = (await importFrom(install('keyv6', { keyv: '6.1.0' }), 'keyv')) as {
  Keyv: new (options: Keyv6Options) => Keyv;
};

export function newKeyv6(options: Keyv6Options = {}): Keyv {
  return new Keyv6(options);
}

/**
 * Returns a Keyv 6 over Redis, with the Redis backend of Keyv 5. The backend of Keyv 6 imports `keyv`, which is Keyv 5
 * here; the tests of the installed package cover that backend. `disconnect()` closes the Keyv's own connection.
 */
export function keyv6OverRedis(url: string, options: Keyv6Options = {}): Keyv {
  return newKeyv6({ ...options, store: new KeyvRedis(url) });
}
