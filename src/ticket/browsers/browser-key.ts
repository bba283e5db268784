import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { QrLoginError } from '../errors.ts';
import type { Ticket } from '../ticket.ts';

/** The public part of a browser's ECDSA key (curve P-256), as base64url. Its private part cannot leave the browser. */
export interface BrowserKey {
  readonly x: string;
  readonly y: string;
}

/** 32 bytes as base64url. */
const COORDINATE = /^[\w-]{43}$/;

/**
 * Reads a public key from the JSON Web Key (RFC 7517) that a browser sends.
 * @throws QrLoginError `invalid_request` if it is not a public key of the curve P-256
 */
export function readBrowserKey(text: string): BrowserKey {
  try {
    const { kty, crv, x, y }: JsonWebKey = JSON.parse(text);
    if (kty === 'EC' && crv === 'P-256' && isCoordinate(x) && isCoordinate(y)) {
      importKey({ x, y });
      return { x, y };
    }
  } catch {
    // The text is not JSON, or the key is not a point of the curve.
  }
  throw new QrLoginError('invalid_request', '"key" is a public key of the curve P-256, as a JSON Web Key.');
}

/**
 * Returns the text that the browser signs when it finishes. The text is good for one approval, because the versions of
 * an interaction's tickets only go up.
 */
function finishMessage({ interaction, version }: Pick<Ticket, 'interaction' | 'version'>): string {
  return `oidc-provider-qr-login finish ${interaction} ${version}`;
}

/** Returns true if the browser's key has signed this ticket. The signature is ECDSA with SHA-256, as base64url. */
export function isSignedBy(
  key: BrowserKey,
  ticket: Pick<Ticket, 'interaction' | 'version'>,
  signature: string | undefined,
): boolean {
  if (signature === undefined) return false;
  // WebCrypto gives the two numbers of a signature side by side (IEEE P1363), not in DER.
  const verifier = { key: importKey(key), dsaEncoding: 'ieee-p1363' } as const;
  return verify('sha256', Buffer.from(finishMessage(ticket)), verifier, Buffer.from(signature, 'base64url'));
}

export function importKey({ x, y }: BrowserKey): ReturnType<typeof createPublicKey> {
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
}

function isCoordinate(value: unknown): value is string {
  return typeof value === 'string' && COORDINATE.test(value);
}
