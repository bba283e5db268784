/** Keys and JWTs of an app, for tests that call the checks of `src/oidc/apps` directly. */
import { createHash } from 'node:crypto';
import {
  calculateJwkThumbprint,
  exportJWK,
  type GenerateKeyPairResult,
  generateKeyPair,
  type JWK,
  SignJWT,
} from 'jose';

export interface AppKey extends GenerateKeyPairResult {
  readonly jwk: JWK;
  /** The thumbprint of the key (RFC 7638). */
  readonly id: string;
}

export async function makeAppKey(): Promise<AppKey> {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(pair.publicKey);
  return { ...pair, jwk, id: await calculateJwkThumbprint(jwk) };
}

/** Signs claims with the key. @param header members that replace those of the usual header, or are added to it */
export function signClaims(
  key: AppKey,
  typ: string,
  claims: object,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'ES256', typ, jwk: key.jwk, ...header })
    .sign(key.privateKey);
}

/** Returns the `ath` of a proof for this access token (RFC 9449, section 4.2). */
export function hashToken(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest('base64url');
}

/** Returns the error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { readonly code?: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('the promise was not rejected');
}
