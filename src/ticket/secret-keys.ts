import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

/** The purposes of MACs. Each has a key of its own, so that a MAC made for one purpose is never valid for another. */
const PURPOSES = [
  'code',
  'check code',
  'match',
  'wrong check codes',
  'short code',
  'short code note',
  'csrf',
  'last account',
  'browser passkey',
  'report',
  'signed out',
  'nonce',
  'dpop nonce',
  'cookie test',
  'store key',
  'resumed session',
  'logo',
  'sealed',
] as const;
type Purpose = (typeof PURPOSES)[number];

/** The lengths of AES-256-GCM in bytes: its nonce and its tag (NIST SP 800-38D, section 5.2). */
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

/** Makes message authentication codes with the first of the server's secrets, and verifies them with every secret. */
export class SecretKeys {
  readonly #keys: ReadonlyMap<Purpose, readonly Buffer[]>;

  constructor(secrets: readonly string[]) {
    this.#keys = new Map(PURPOSES.map((purpose) => [purpose, secrets.map((secret) => derive(secret, purpose))]));
  }

  /** Returns the HMAC-SHA-256 (RFC 2104) over the parts, made with the first secret. */
  mac(purpose: Purpose, ...parts: readonly string[]): Buffer {
    const [mac] = this.#macs(purpose, parts);
    if (mac === undefined) throw new TypeError('no secret to sign with');
    return mac;
  }

  /** Returns one MAC for each secret, to compare with a received one. */
  candidates(purpose: Purpose, ...parts: readonly string[]): Buffer[] {
    return this.#macs(purpose, parts);
  }

  /**
   * Encrypts a text for the store, with AES-256-GCM under the first secret.
   * @param of names the record that the text belongs to. The result can be opened only for this record.
   */
  seal(of: string, text: string): string {
    const nonce = randomBytes(NONCE_LENGTH);
    const cipher = createCipheriv('aes-256-gcm', this.mac('sealed', of), nonce, { authTagLength: TAG_LENGTH });
    return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
      'base64url',
    );
  }

  /** Returns a sealed text; undefined if none of the secrets opens it for this record. */
  unseal(of: string, sealed: string): string | undefined {
    const bytes = Buffer.from(sealed, 'base64url');
    if (bytes.length < NONCE_LENGTH + TAG_LENGTH) return undefined;
    return this.candidates('sealed', of)
      .map((key) => open(key, bytes))
      .find((text) => text !== undefined);
  }

  #macs(purpose: Purpose, parts: readonly string[]): Buffer[] {
    // JSON keeps ['a', 'bc'] and ['ab', 'c'] apart.
    const message = JSON.stringify(parts);
    return (this.#keys.get(purpose) ?? []).map((key) => createHmac('sha256', key).update(message).digest());
  }
}

/** Returns true if the given value equals one of the candidates. The comparison takes constant time. */
export function matches(candidates: readonly (Buffer | string)[], given: Buffer | string): boolean {
  const digest = sha256(given);
  return candidates.map((candidate) => timingSafeEqual(sha256(candidate), digest)).includes(true);
}

/** Returns the SHA-256 of a secret, which the store holds instead of the secret itself. */
export function fingerprint(secret: string): string {
  return sha256(secret).toString('base64url');
}

function open(key: Buffer, bytes: Buffer): string | undefined {
  const nonce = bytes.subarray(0, NONCE_LENGTH);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_LENGTH });
  decipher.setAuthTag(bytes.subarray(-TAG_LENGTH));
  try {
    const text = [decipher.update(bytes.subarray(NONCE_LENGTH, -TAG_LENGTH)), decipher.final()];
    return Buffer.concat(text).toString('utf8');
  } catch {
    // Another secret has sealed it, or something else than this class has changed the store.
    return undefined;
  }
}

function sha256(value: Buffer | string): Buffer {
  return createHash('sha256').update(value).digest();
}

function derive(secret: string, purpose: Purpose): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `oidc-provider-qr-login ${purpose}`, 32));
}
