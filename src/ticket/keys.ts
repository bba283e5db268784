import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** What a MAC is for. Each purpose has a key of its own, so that a MAC made for one never passes for another. */
const PURPOSES = [
  'code',
  'check code',
  'short code',
  'short code note',
  'csrf',
  'known browser',
  'report',
  'nonce',
] as const;
type Purpose = (typeof PURPOSES)[number];

/** Message authentication codes under the server's secrets: the first secret makes them, every secret verifies. */
export class Keys {
  readonly #keys: ReadonlyMap<Purpose, readonly Buffer[]>;

  constructor(secrets: readonly string[]) {
    this.#keys = new Map(PURPOSES.map((purpose) => [purpose, secrets.map((secret) => derive(secret, purpose))]));
  }

  /** HMAC-SHA-256 (RFC 2104) over the parts. */
  mac(purpose: Purpose, ...parts: readonly string[]): Buffer {
    const [mac] = this.#macs(purpose, parts);
    if (mac === undefined) throw new TypeError('no secret to sign with');
    return mac;
  }

  /** The MACs that any of the secrets gives, to compare with one that came in. */
  candidates(purpose: Purpose, ...parts: readonly string[]): Buffer[] {
    return this.#macs(purpose, parts);
  }

  #macs(purpose: Purpose, parts: readonly string[]): Buffer[] {
    // JSON keeps ['a', 'bc'] and ['ab', 'c'] apart.
    const message = JSON.stringify(parts);
    return (this.#keys.get(purpose) ?? []).map((key) => createHmac('sha256', key).update(message).digest());
  }
}

/** Whether one of the candidates is what came in, in a time that does not tell where they differ. */
export function matches(candidates: readonly (Buffer | string)[], given: Buffer | string): boolean {
  const digest = sha256(given);
  return candidates.map((candidate) => timingSafeEqual(sha256(candidate), digest)).includes(true);
}

/** What the store holds of a secret that only its owner may know. */
export function fingerprint(secret: string): string {
  return sha256(secret).toString('base64url');
}

function sha256(value: Buffer | string): Buffer {
  return createHash('sha256').update(value).digest();
}

function derive(secret: string, purpose: Purpose): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `oidc-provider-qr-login ${purpose}`, 32));
}
