import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

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
] as const;
type Purpose = (typeof PURPOSES)[number];

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

function sha256(value: Buffer | string): Buffer {
  return createHash('sha256').update(value).digest();
}

function derive(secret: string, purpose: Purpose): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `oidc-provider-qr-login ${purpose}`, 32));
}
