import { unescapeBytes } from './base64url.ts';
import { PhoneError } from './phone-error.ts';

/** Codes have 46 characters of base64url. The names of pages below `/qr/` are shorter. */
const CODE = /^[\w-]{32,}$/;
/** An http or https URL without user name, query and fragment. */
const HTTP_URL = /^(https?:\/\/)([^/?#@\\]+)(\/[^?#\\]*)?$/i;
/** The provider's links with the app's own scheme. */
const APP_LINK = /^[a-z][\w.+-]*:(\/qr\/[\w-]+)\?iss=([^&]+)(?:&return=(.*))?$/i;

/** The content of a QR code or of a link. */
export interface CodeText {
  readonly code: string;
  /** The QR page in a browser on this phone, if that browser has opened the app. */
  readonly returnTo?: string | undefined;
}

/**
 * Returns a URL as servers write it: scheme and host in lower case, and without slashes at the end. It does not use the
 * global `URL`, which is incomplete in React Native.
 * @returns undefined if the text is no http or https URL, or has a user name, query, fragment or backslash
 */
export function normalizeUrl(text: string): string | undefined {
  const [, scheme, host, path = ''] = HTTP_URL.exec(text) ?? [];
  if (!host) return undefined;
  return `${scheme}${host}`.toLowerCase() + path.replace(/\/+$/, '');
}

/**
 * Reads the text of a QR code of this provider, or of a link of this provider that has opened the app.
 * @param issuer the issuer as {@link normalizeUrl} returns it
 * @throws PhoneError `foreign_code` for a code of another provider, `not_a_code` for any other text
 */
export function readCode(text: string, issuer: string): CodeText {
  const plain = text.trim();
  if (CODE.test(plain)) return { code: plain };
  const [, path, iss, page = ''] = APP_LINK.exec(plain) ?? [];
  const address = iss ? unescapeBytes(iss).replace(/\/+$/, '') + path : plain;
  const [, base, code] = /^(.*)\/qr\/([\w-]{32,})$/.exec(normalizeUrl(address) ?? '') ?? [];
  if (!code) throw new PhoneError('not_a_code', 'No code. Scan another one.');
  if (base !== issuer) throw new PhoneError('foreign_code', 'No code of this provider. Scan another one.');
  const returnTo = unescapeBytes(page);
  return { code, returnTo: returnTo.startsWith(`${issuer}/interaction/`) ? returnTo : undefined };
}
