import { toBase64url, toUtf8 } from './base64url.ts';
import { sha256 } from './sha256.ts';
import type { Signer } from './signer.ts';

/** The request that a proof is for. */
export interface ProvenRequest {
  readonly method: string;
  /** The URL, without query and fragment. */
  readonly url: string;
  /** The access token that is sent with the request; left out for a request to the token endpoint. */
  readonly accessToken?: string | undefined;
  /** The nonce that the server has given; undefined before its first answer. */
  readonly nonce?: string | undefined;
  /** The time of the server in milliseconds since 1970. The time of this device by default. */
  readonly now?: number;
}

/**
 * Makes the value of the header `DPoP`: a proof that this app has a key (RFC 9449, sections 4.2, 5 and 7). This key is
 * the one of the access token or, at the token endpoint, the one that the new tokens will be bound to.
 */
export function makeProof(
  signer: Signer,
  { method, url, accessToken, nonce, now = Date.now() }: ProvenRequest,
): Promise<string> {
  return signJwt(signer, 'dpop+jwt', {
    jti: toBase64url(randomBytes()),
    htm: method,
    htu: url,
    iat: Math.floor(now / 1000),
    ath: accessToken && toBase64url(sha256(toUtf8(accessToken))),
    nonce,
  });
}

/** Signs content as a JWT whose header has the public key (RFC 7515, section 4.1.3). */
export async function signJwt(signer: Signer, typ: string, content: object): Promise<string> {
  const {
    alg = 'ES256',
    publicJwk: { kty, crv, x, y, n, e },
  } = signer;
  // The JWK of a signer may contain the private key as well, which must not be sent.
  const parts = [{ typ, alg, jwk: { kty, crv, x, y, n, e } }, content];
  const signed = parts.map((part) => toBase64url(toUtf8(JSON.stringify(part)))).join('.');
  return `${signed}.${toBase64url(await signer.sign(toUtf8(signed)))}`;
}

/**
 * Returns 16 random bytes. The id of a proof has to be unique, but need not be secret (RFC 9449, section 4.2), so that
 * `Math.random` is good enough for engines without WebCrypto.
 */
function randomBytes(): Uint8Array {
  const bytes = Uint8Array.from({ length: 16 }, () => Math.random() * 256);
  const { crypto } = globalThis as { crypto?: { getRandomValues?(bytes: Uint8Array): unknown } };
  crypto?.getRandomValues?.(bytes);
  return bytes;
}
