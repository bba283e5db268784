import { createHash, verify } from 'node:crypto';
import type { Ticket } from '../ticket.ts';
import { type BrowserKey, importKey } from './browser-key.ts';
import { findKnownBrowser, type KnownBrowser, type KnownBrowsers } from './known-browser.ts';

/**
 * The proof by which an account has enrolled a browser: a sign-in in that browser itself, an action that was approved
 * with a passkey, or the deployment.
 */
export type EnrolledBy = 'sign-in' | 'action' | 'deployment';

/**
 * Returns the id of the record of an enrolled browser. It is never the fingerprint of a cookie, so that no cookie leads
 * to the record.
 */
export function enrolmentId({ x, y }: BrowserKey): string {
  return createHash('sha256').update(`enrolled ${x} ${y}`).digest('base64url');
}

/** Returns the record of the browser with this key, if the account has enrolled it. */
export async function findEnrolledBrowser(
  known: Pick<KnownBrowsers, 'list'>,
  accountId: string,
  key: BrowserKey,
): Promise<KnownBrowser | undefined> {
  const browser = await findKnownBrowser(known, accountId, enrolmentId(key));
  return browser?.enrolledBy === undefined ? undefined : browser;
}

/** Returns true if the key has signed the code that is on the screen, in the browser of this interaction. */
export function hasSignedCode(
  key: BrowserKey,
  { interaction }: Pick<Ticket, 'interaction'>,
  code: string,
  signature: string,
): boolean {
  return hasSigned(key, `oidc-provider-qr-login show ${interaction} ${code}`, signature);
}

/** Returns true if the key has signed the challenge of the page that enrols this browser. */
export function hasSignedEnrolment(key: BrowserKey, nonces: readonly string[], signature: string): boolean {
  return nonces.some((nonce) => hasSigned(key, `oidc-provider-qr-login enrol ${nonce}`, signature));
}

/** Returns true if the key has signed the challenge of the page that asks the account's phones. */
export function hasSignedQuestion(key: BrowserKey, nonces: readonly string[], signature: string): boolean {
  return nonces.some((nonce) => hasSigned(key, `oidc-provider-qr-login ask ${nonce}`, signature));
}

function hasSigned(key: BrowserKey, message: string, signature: string): boolean {
  // WebCrypto gives the two numbers of a signature side by side (IEEE P1363), not in DER.
  const verifier = { key: importKey(key), dsaEncoding: 'ieee-p1363' } as const;
  return verify('sha256', Buffer.from(message), verifier, Buffer.from(signature, 'base64url'));
}
