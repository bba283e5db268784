import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, importJWK, type JWK, SignJWT } from 'jose';

/** The `typ` of a signed result, so that no other JWT of the provider can stand for one (RFC 8725, section 3.11). */
export const RESULT_TYPE = 'qr-approval+jwt';

/** The private keys of the provider, as in its own configuration (RFC 7517, section 5). */
export interface SigningKeys {
  readonly keys: readonly object[];
}

/** A private key, and the algorithm that it signs with (RFC 7518, section 3.1). */
export type SigningKey = JWK & { readonly alg: string };

/** The claims of a signed result besides the registered ones of RFC 7519. */
export interface ResultClaims {
  readonly iss: string;
  /**
   * The account as the client knows it (RFC 9493, section 3.2.3). A `sub` would make the result a valid ID token for
   * recipients that do not look at `typ` (RFC 8725, section 3.12).
   */
  readonly sub_id: { readonly format: 'iss_sub'; readonly iss: string; readonly sub: string };
  readonly aud: string;
  /** The same for each copy of the result, so that its recipient can refuse a second use. */
  readonly jti: string;
  /** The time of the approval, in seconds since the epoch. */
  readonly iat: number;
  /** The time until which the result can be read again, in seconds since the epoch. */
  readonly exp: number;
  /** {@link hashTexts} of the texts that the phone has shown. */
  readonly details_hash: string;
  readonly reference?: string;
  readonly auth_time: number;
  readonly acr?: string;
  readonly amr?: readonly string[];
}

/**
 * Returns the hash of the two texts that the phone has shown: base64url of the SHA-256 of the title, a line feed and
 * the details, in UTF-8. A title has no line feed, so no two pairs of texts have the same hash.
 */
export function hashTexts({ title, details }: { readonly title: string; readonly details: string }): string {
  return createHash('sha256').update(`${title}\n${details}`).digest('base64url');
}

/** Returns the key that results are signed with: the first private one that is for signing; undefined without one. */
export function findSigningKey({ keys }: SigningKeys): SigningKey | undefined {
  // The cast is needed because the types of oidc-provider and jose differ. `importJWK` checks the members of the key.
  for (const key of keys as readonly JWK[]) {
    const alg = algorithmOf(key);
    if (alg !== undefined && key.d !== undefined && key.use !== 'enc') return { ...key, alg };
  }
  return undefined;
}

/** Returns the result as a JWT that any service can verify with the keys that the provider publishes (`jwks_uri`). */
export async function signResult(claims: ResultClaims, key: SigningKey): Promise<string> {
  const { alg } = key;
  // This is the id under which oidc-provider publishes a key that has none of its own.
  const kid = key.kid ?? (await calculateJwkThumbprint(key));
  return new SignJWT({ ...claims }).setProtectedHeader({ alg, typ: RESULT_TYPE, kid }).sign(await importJWK(key, alg));
}

const OF_CURVE: Readonly<Record<string, string>> = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  Ed25519: 'EdDSA',
};

const SIGNING = /^(?:[RP]S(?:256|384|512)|ES(?:256|384|512)|EdDSA|Ed25519)$/;

/** Returns the algorithm that a key signs with; undefined if it is not for signing. */
function algorithmOf({ alg, kty, crv = '' }: JWK): string | undefined {
  const chosen = alg ?? (kty === 'RSA' ? 'RS256' : OF_CURVE[crv]);
  return chosen !== undefined && SIGNING.test(chosen) ? chosen : undefined;
}
