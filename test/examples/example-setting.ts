/** Makes the example's provider and RP, so that a test can use them instead of those of the fixtures. */
import { Accounts } from '../../examples/accounts.ts';
import { type Example, type ExampleOptions, makeExample } from '../../examples/provider.ts';
import { makeRp, rpClient } from '../../examples/rp.ts';
import { makeSecrets } from '../../examples/secrets.ts';
import type { Setting } from '../chromium/stage.ts';

/** All tests of a file share these, because an RSA key and password hashes take long to make. */
const secrets = makeSecrets();
const accounts = Accounts.demo();

/** Makes the example's provider, with its own options. */
export async function makeExampleProvider(options: Omit<ExampleOptions, 'accounts' | 'secrets'>): Promise<Example> {
  return makeExample({ ...options, accounts: await accounts, secrets });
}

export const EXAMPLE: Setting = {
  makeProvider: makeExampleProvider,
  rpClient: (url) => rpClient({ url, secret: secrets.rpSecret }),
  makeRp: (issuer, url) => makeRp({ issuer, url, secret: secrets.rpSecret }),
};
