import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import type { AdapterPayload } from 'oidc-provider';

/** The lengths in bytes of AES-256-GCM: its key, its nonce and its tag (NIST SP 800-38D, section 5.2). */
const KEY_LENGTH = 32;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

/**
 * Replaces the secret if the deployment has none. It is public, so names and payloads then depend on the record's id
 * only.
 */
const NO_SECRET = '';

/**
 * The form in which a record is kept: the name of its key, and its payload. A record is asked for by its plain key,
 * which is the model and the id (`AccessToken:<id>`), and a lookup key by its kind and value (`uid:<uid>`).
 */
export interface RecordForm {
  keyName(key: string): string;

  grantName(grantId: string): string;

  encode(key: string, payload: AdapterPayload): AdapterPayload;

  /** @returns undefined if the payload is not of this form, or does not belong to this record */
  decode(key: string, stored: AdapterPayload): AdapterPayload | undefined;

  /** Returns the content of a lookup key. The same id gives the same content, so that contents can be compared. */
  encodeId(from: string, id: string): string;

  decodeId(from: string, stored: string): string | undefined;
}

/** The form of earlier versions: an id is part of the key's name, and the payload is JSON. */
export const PLAIN_FORM: RecordForm = {
  keyName: (key) => key,
  grantName: (grantId) => grantId,
  encode: (_key, payload) => payload,
  decode: (_key, stored) => ('sealed' in stored ? undefined : stored),
  encodeId: (_from, id) => id,
  decodeId: (_from, stored) => stored,
};

/**
 * The form that hides ids and payloads. A key's name is an HMAC-SHA-256 of the plain key. The payload is encrypted with
 * AES-256-GCM, under a key of its own for each record: an HMAC-SHA-256 of the plain key again. So a payload can be read
 * only with the record's id and the secret. The plain key is authenticated, so that two records cannot be swapped.
 */
export class SealedForm implements RecordForm {
  readonly #nameKey: KeyObject;
  readonly #payloadKey: KeyObject;

  /** @param secret without it, records whose ids can be guessed, such as those of clients, are not protected */
  constructor(secret: string | Uint8Array = NO_SECRET) {
    this.#nameKey = derive(secret, 'record name');
    this.#payloadKey = derive(secret, 'record payload');
  }

  /**
   * Returns `<model>#<hash>`. A colon, as in the plain form, would be a security hole: a client could send a hash from
   * a copy of the store as its token, and the lookup for records of earlier versions would find the record.
   */
  keyName(key: string): string {
    return `${key.slice(0, key.indexOf(':'))}#${mac(this.#nameKey, key).toString('base64url')}`;
  }

  grantName(grantId: string): string {
    return `#${mac(this.#nameKey, `grant:${grantId}`).toString('base64url')}`;
  }

  encode(key: string, payload: AdapterPayload): AdapterPayload {
    const sealed = this.#seal(key, JSON.stringify(payload), randomBytes(NONCE_LENGTH));
    // The store reads this field, to let a record be consumed once.
    return { sealed, ...(payload.consumed !== undefined && { consumed: payload.consumed }) };
  }

  decode(key: string, stored: AdapterPayload): AdapterPayload | undefined {
    const text = this.#open(key, stored.sealed);
    if (text === undefined) return undefined;
    return { ...JSON.parse(text), ...(stored.consumed !== undefined && { consumed: stored.consumed }) };
  }

  encodeId(from: string, id: string): string {
    // The nonce depends on the id, so another id under this key has another nonce (as in RFC 8452, section 3).
    return this.#seal(from, id, mac(this.#payloadKey, JSON.stringify([from, id])).subarray(0, NONCE_LENGTH));
  }

  decodeId(from: string, stored: string): string | undefined {
    return this.#open(from, stored);
  }

  #seal(key: string, text: string, nonce: Buffer): string {
    const cipher = createCipheriv('aes-256-gcm', mac(this.#payloadKey, key), nonce, { authTagLength: TAG_LENGTH });
    cipher.setAAD(Buffer.from(key));
    const encrypted = [cipher.update(text, 'utf8'), cipher.final()];
    return Buffer.concat([nonce, ...encrypted, cipher.getAuthTag()]).toString('base64url');
  }

  #open(key: string, sealed: unknown): string | undefined {
    const bytes = Buffer.from(typeof sealed === 'string' ? sealed : '', 'base64url');
    if (bytes.length < NONCE_LENGTH + TAG_LENGTH) return undefined;
    const nonce = bytes.subarray(0, NONCE_LENGTH);
    const decipher = createDecipheriv('aes-256-gcm', mac(this.#payloadKey, key), nonce, { authTagLength: TAG_LENGTH });
    decipher.setAAD(Buffer.from(key));
    decipher.setAuthTag(bytes.subarray(-TAG_LENGTH));
    try {
      const text = [decipher.update(bytes.subarray(NONCE_LENGTH, -TAG_LENGTH)), decipher.final()];
      return Buffer.concat(text).toString('utf8');
    } catch {
      // The store was changed by something else than this adapter.
      return undefined;
    }
  }
}

function derive(secret: string | Uint8Array, purpose: string): KeyObject {
  const key = hkdfSync('sha256', secret, '', `oidc-provider-qr-login ${purpose}`, KEY_LENGTH);
  return createSecretKey(new Uint8Array(key));
}

function mac(key: KeyObject, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
