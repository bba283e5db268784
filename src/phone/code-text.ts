import { PhoneError } from './phone-error.ts';

/** Codes have 46 characters of base64url. The names of pages below `/qr/` are shorter. */
const CODE = /^[\w-]{32,}$/;
const HTTP_URL = /^(https?:\/\/)([^/?#@\\]+)(\/[^?#\\]*)?$/i;
const DEFAULT_PORT = /^(http:\/\/.*):80$|^(https:\/\/.*):443$/;

/**
 * Returns a URL as servers write it: scheme and host in lower case, without the default port and without slashes at the
 * end. React Native's own `URL` is incomplete, so that none is used.
 * @returns undefined if the text is no plain http or https URL: with user name, query, fragment or backslash
 */
export function normalizeUrl(text: string): string | undefined {
  const [, scheme, host, path = ''] = HTTP_URL.exec(text) ?? [];
  if (!host) return undefined;
  return `${scheme}${host}`.toLowerCase().replace(DEFAULT_PORT, '$1$2') + path.replace(/\/+$/, '');
}

/**
 * Returns the code in the text of a QR code of this provider.
 * @param issuer the issuer as {@link normalizeUrl} returns it
 * @throws PhoneError `foreign_code` for a code of another provider, `not_a_code` for any other text
 */
export function readCode(text: string, issuer: string): string {
  const plain = text.trim();
  if (CODE.test(plain)) return plain;
  const [, base, code] = /^(.*)\/qr\/([\w-]{32,})$/.exec(normalizeUrl(plain) ?? '') ?? [];
  if (!code) throw new PhoneError('not_a_code', 'This is no code of a sign-in. Scan the code on the sign-in page.');
  if (base === issuer) return code;
  throw new PhoneError('foreign_code', 'This code is of another provider. Scan the code on the sign-in page.');
}
