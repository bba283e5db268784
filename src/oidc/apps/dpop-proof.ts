import { createHash } from 'node:crypto';
import { errors, type JWTPayload } from 'jose';
import { APP_ALGORITHMS, invalidProof } from './app-challenge.ts';
import { ProofKeys } from './proof-keys.ts';
import { type VerifiedProof, verifyProof } from './proof-signature.ts';

/**
 * The most seconds by which the clock of an app may differ from that of the server. An app can set its time by the
 * `Date` header of an answer.
 */
const MAX_SKEW_S = 300;
/** A shorter `jti` may repeat by chance, and a longer one only takes up room. */
const JTI_FORM = /^[\x21-\x7e]{8,128}$/;

/** The request that a proof must have been made for. */
export interface ProvenRequest {
  readonly method: string;
  /** The URL that the app has sent its request to, without query and fragment. */
  readonly url: string;
  readonly accessToken: string;
  /** The time in milliseconds since the epoch. */
  readonly now: number;
}

/** A proof whose signature and claims are right. The nonce and the use of the `jti` are not checked yet. */
export interface DpopProof {
  /** The thumbprint of its key (RFC 7638, SHA-256). */
  readonly keyId: string;
  readonly jti: string;
  readonly nonce: string | undefined;
}

/** Verifies proofs that the sender of a request holds a key (RFC 9449, section 4.3). */
export class ProofVerifier {
  readonly #keys = new ProofKeys();

  /** Verifies a proof. @throws QrLoginError `invalid_dpop_proof`, which says what is wrong */
  async verify(proof: string, request: ProvenRequest): Promise<DpopProof> {
    const { payload, key } = await verifySignature(proof, this.#keys);
    this.assertRequest(payload, request);
    this.assertToken(payload, request);
    const { iat, jti, nonce } = payload;
    if (typeof iat !== 'number' || Math.abs(request.now / 1000 - iat) > MAX_SKEW_S)
      throw invalidProof('The proof is too old, or the clock is wrong: take the time for "iat" from the Date header.');
    if (typeof jti !== 'string' || !JTI_FORM.test(jti))
      throw invalidProof('"jti" must be a new random text of 8 to 128 characters.');
    if (nonce !== undefined && typeof nonce !== 'string') throw invalidProof('"nonce" must be a text.');
    return { keyId: key.id, jti, nonce };
  }

  /** Ensures that the proof was made for this method and URL. */
  assertRequest({ htm, htu }: JWTPayload, { method, url }: ProvenRequest): void {
    if (htm !== method) throw invalidProof(`The proof was made for another method: "htm" must be ${method}.`);
    if (htu !== url && normalizeUrl(htu) !== normalizeUrl(url))
      throw invalidProof(`The proof was made for another URL: "htu" must be ${url}.`);
  }

  /** Ensures that the proof was made for this access token. */
  assertToken({ ath }: JWTPayload, { accessToken }: ProvenRequest): void {
    if (ath === hashToken(accessToken)) return;
    throw invalidProof('The proof was made for another token: "ath" must be the SHA-256 of the token, as base64url.');
  }
}

async function verifySignature(proof: string, keys: ProofKeys): Promise<VerifiedProof> {
  try {
    return await verifyProof(proof, keys);
  } catch (cause) {
    if (cause instanceof errors.JOSEAlgNotAllowed)
      throw invalidProof(`The algorithm of the proof is not allowed. Use one of ${APP_ALGORITHMS.join(', ')}.`, {
        cause,
      });
    throw invalidProof(
      'The proof cannot be verified: it must be a signed JWT of the type dpop+jwt, with its public key.',
      {
        cause,
      },
    );
  }
}

/** Returns the URL without query and fragment, in its normal form (RFC 9449, section 4.3, check 9). */
function normalizeUrl(text: unknown): string | undefined {
  if (typeof text !== 'string' || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  url.search = '';
  url.hash = '';
  return url.href;
}

function hashToken(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest('base64url');
}
