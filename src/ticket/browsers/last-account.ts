import { matches, type SecretKeys } from '../secret-keys.ts';
import type { Browser } from '../ticket.ts';

/**
 * Returns the mark of the account that was last signed in to a browser by QR. The browser keeps the mark in its cookie.
 * It does not disclose the account.
 */
export function markAccount(keys: SecretKeys, knownAs: string, accountId: string): string {
  return keys.mac('last account', knownAs, accountId).toString('base64url');
}

/** Returns true if another account was last signed in to this browser by QR. */
export function hadOtherAccount(
  keys: SecretKeys,
  { knownAs, lastAccount }: Pick<Browser, 'knownAs' | 'lastAccount'>,
  accountId: string,
): boolean {
  if (knownAs === undefined || lastAccount === undefined) return false;
  const marks = keys.candidates('last account', knownAs, accountId).map((mac) => mac.toString('base64url'));
  return !matches(marks, lastAccount);
}
