import { isApprovedOnPhone } from '../approved-on-phone.ts';

/**
 * The way in which a browser was signed in, as the `amr` of its session shows it; `other` if the sign-in page has named
 * no method.
 */
export type SignInMethod = 'qr' | 'passkey' | 'password' | 'other';

/** The `amr` values (RFC 8176, section 2) of a key that the user's device holds. */
const KEY_METHODS = ['pop', 'hwk', 'swk'];

export function methodOf(amr: readonly string[] = []): SignInMethod {
  if (isApprovedOnPhone(amr)) return 'qr';
  if (amr.includes('pwd')) return 'password';
  return KEY_METHODS.some((method) => amr.includes(method)) ? 'passkey' : 'other';
}
