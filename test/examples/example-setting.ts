/** The example's provider and RP, for a stage instead of those of the fixtures. */
import { Accounts } from '../../examples/accounts.ts';
import { makeExample } from '../../examples/provider.ts';
import { makeRp, rpClient } from '../../examples/rp.ts';
import { makeSecrets } from '../../examples/secrets.ts';
import type { Setting } from '../chromium/stage.ts';

/** All tests of a file share these, because an RSA key and password hashes take long to make. */
const secrets = makeSecrets();
const accounts = Accounts.demo();

export const EXAMPLE: Setting = {
  makeProvider: async (options) => makeExample({ ...options, accounts: await accounts, secrets }),
  rpClient: (url) => rpClient({ url, secret: secrets.rpSecret }),
  makeRp: (issuer, url) => makeRp({ issuer, url, secret: secrets.rpSecret }),
};
