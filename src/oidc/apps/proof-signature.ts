import { verify } from 'node:crypto';
import { decodeProtectedHeader, type JWTPayload, type JWTVerifyResult, jwtVerify } from 'jose';
import { APP_ALGORITHMS } from './app-challenge.ts';
import type { ProofKey, ProofKeys } from './proof-keys.ts';

/** The `typ` of a proof (RFC 9449, section 4.2). */
const PROOF_TYPE = 'dpop+jwt';
/**
 * A compact JWS (RFC 7515, section 7.1). The pattern is strict because Node's decoder of base64url skips wrong
 * characters.
 */
const COMPACT_JWS = /^([\w-]+\.([\w-]+))\.([\w-]{86})$/;
/** Throws an error for bytes that are no text. */
const UTF8 = new TextDecoder('utf-8', { fatal: true });
/** The names of an ordinary proof's header parameters. */
const ORDINARY_NAMES: ReadonlySet<string> = new Set(['typ', 'alg', 'jwk', 'kid']);

/** A proof whose signature is right, with the key in its header that it was verified with. */
export interface VerifiedProof extends Pick<JWTVerifyResult, 'payload'> {
  readonly key: ProofKey;
}

/**
 * Verifies the signature and the type of a proof. An ordinary proof (ES256, without header parameters or claims that
 * need further checks) is verified in this thread, because jose hands each signature to another thread, which takes
 * three times the CPU time. Everything that is not accepted here is left to jose to decide.
 * @throws Error if the proof cannot be verified
 */
export async function verifyProof(proof: string, keys: ProofKeys): Promise<VerifiedProof> {
  const ordinary = await verifyOrdinary(proof, keys);
  if (ordinary !== undefined) return ordinary;
  // This uses none of jose's rules for `iat`. `exp` and `nbf`, which proofs do not need, are still honoured.
  const { payload, protectedHeader } = await jwtVerify(proof, keys.resolve, {
    algorithms: [...APP_ALGORITHMS],
    typ: PROOF_TYPE,
  });
  return { payload, key: await keys.find(protectedHeader) };
}

/**
 * Verifies an ordinary proof. Returns undefined if the proof is of another kind, or is not valid.
 * @throws Error if the header, its key or the claims cannot be read
 */
async function verifyOrdinary(proof: string, keys: ProofKeys): Promise<VerifiedProof | undefined> {
  const [, signed = '', claims = '', signature] = COMPACT_JWS.exec(proof) ?? [];
  if (signature === undefined) return undefined;
  const header = decodeProtectedHeader(proof);
  const isOrdinary = header.alg === 'ES256' && header.typ === PROOF_TYPE;
  if (!isOrdinary || !Object.keys(header).every((name) => ORDINARY_NAMES.has(name))) return undefined;
  const key = await keys.find(header);
  const { object } = key;
  const isP256 = object.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  // A JWS has the two numbers of the signature as they are (RFC 7518, section 3.4), and not in ASN.1.
  const options = { key: object, dsaEncoding: 'ieee-p1363' } as const;
  const isValid = isP256 && verify('sha256', Buffer.from(signed), options, Buffer.from(signature, 'base64url'));
  const payload = isValid ? readClaims(claims) : undefined;
  return payload && { payload, key };
}

/**
 * Returns the claims in a text; undefined if it has none, or if they have an `exp` or `nbf`, which jose has to check.
 * @throws Error if the text is not JSON in UTF-8
 */
function readClaims(text: string): JWTPayload | undefined {
  const claims: JWTPayload | null = JSON.parse(UTF8.decode(Buffer.from(text, 'base64url')));
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return undefined;
  return 'exp' in claims || 'nbf' in claims ? undefined : claims;
}
