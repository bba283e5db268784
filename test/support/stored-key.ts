/** The keys under which the fixture's provider stores the lists of browsers. */
import { IssuerKeys } from '../../src/stores/issuer/issuer-keys.ts';
import { SecretKeys } from '../../src/ticket/secret-keys.ts';
import { COOKIE_KEYS } from '../fixtures/secrets.ts';

/** Returns the key of an account's list in the store. In Redis, `keyv:qr:` precedes this key. */
export function listKey(
  { issuer }: { readonly issuer: string },
  list: 'browsers' | 'known',
  accountId: string,
): string {
  return `${list}:${new IssuerKeys(issuer, new SecretKeys(COOKIE_KEYS)).currentKey(list, accountId)}`;
}
