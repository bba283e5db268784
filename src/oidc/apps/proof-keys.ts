import { createPublicKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, type FlattenedJWSInput, type JWK, type JWSHeaderParameters } from 'jose';

type ImportedKey = Awaited<ReturnType<typeof EmbeddedJWK>>;

/** A public key, as the header of a proof had it. */
export interface ProofKey {
  readonly imported: ImportedKey;
  /** The same key for `node:crypto`. */
  readonly object: KeyObject;
  /** Its thumbprint (RFC 7638, SHA-256). */
  readonly id: string;
}

/**
 * The number of keys that are kept. An app sends several requests in a sign-in, and importing a key takes as long as
 * verifying a proof.
 */
const MAX_KEYS = 1_000;
/** Longer keys, in characters of JSON, are not kept, so that a client cannot fill the memory. */
const MAX_KEY_LENGTH = 1_024;

/**
 * Imports the public keys in the headers of proofs, and keeps the latest. A kept key proves nothing: each proof is
 * verified.
 */
export class ProofKeys {
  readonly #keys = new Map<string, Promise<ProofKey>>();

  /** Returns the key in a header, for `jwtVerify`. @throws JOSEError if it is no public key */
  readonly resolve = async (header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<ImportedKey> =>
    (await this.find(header, token)).imported;

  /** Returns the key in a header. @throws JOSEError if it is no public key */
  find(header: JWSHeaderParameters, token?: FlattenedJWSInput): Promise<ProofKey> {
    const name = JSON.stringify([header.alg, header.jwk]);
    const kept = this.#keys.get(name);
    if (kept !== undefined) return kept;
    const key = importKey(header, token);
    if (name.length <= MAX_KEY_LENGTH) this.#keep(name, key);
    return key;
  }

  #keep(name: string, key: Promise<ProofKey>): void {
    // A Map keeps the order in which entries were added.
    const [oldest] = this.#keys.size < MAX_KEYS ? [] : this.#keys.keys();
    if (oldest !== undefined) this.#keys.delete(oldest);
    this.#keys.set(name, key);
    key.catch(() => this.#keys.delete(name));
  }
}

async function importKey(header: JWSHeaderParameters, token: FlattenedJWSInput | undefined): Promise<ProofKey> {
  // `EmbeddedJWK` refuses a header without a public key, so from here on the header has a JWK.
  const imported = await EmbeddedJWK(header, token);
  const jwk = header.jwk as JWK;
  return { imported, object: createPublicKey({ key: jwk, format: 'jwk' }), id: await calculateJwkThumbprint(jwk) };
}
