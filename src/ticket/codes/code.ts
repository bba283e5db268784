import { matches, type SecretKeys } from '../secret-keys.ts';
import { ID_BYTES } from '../ticket-id.ts';

const MAC_BYTES = 16;

/** The length of a code in characters of base64url (RFC 4648, section 5). */
export const CODE_LENGTH: number = Math.ceil(((ID_BYTES + MAC_BYTES) * 4) / 3);

/** A code stays valid for this many slots after its own, so that a scan may take a moment. */
const SLOTS_BACK = 2;
/**
 * The slots whose codes are accepted, by their distance from the present one, the likeliest first. The next slot counts
 * too, because another node's clock may be a little ahead.
 */
const SLOTS_TO_TRY: readonly number[] = [...Array.from({ length: SLOTS_BACK + 1 }, (_, back) => 0 - back), 1];

/**
 * Makes and verifies the content of the QR code, `id ‖ HMAC(server key, id ‖ slot)`. A valid code proves that it was on
 * the screen just now.
 */
export class Codes {
  readonly #keys: SecretKeys;
  readonly #rotationMs: number;

  /** @param rotation the time for which a code stays on the screen, in milliseconds */
  constructor(keys: SecretKeys, rotation: number) {
    this.#keys = keys;
    this.#rotationMs = rotation;
  }

  /** The time for which a code is accepted after the next one has replaced it, in milliseconds. */
  get grace(): number {
    return SLOTS_BACK * this.#rotationMs;
  }

  /** Returns the code to show now, and the milliseconds until the next one. */
  show(id: string, now: number): { code: string; rotatesIn: number } {
    const slot = this.#slot(id, now);
    const code = Buffer.concat([Buffer.from(id, 'base64url'), truncate(this.#keys.mac('code', id, `${slot}`))]);
    return { code: code.toString('base64url'), rotatesIn: this.rotatesIn(id, now) };
  }

  /** Returns the milliseconds until there is another code to show. */
  rotatesIn(id: string, now: number): number {
    return this.#rotationMs - ((now + this.#offset(id)) % this.#rotationMs);
  }

  /** Returns the ticket id in a code without verifying the code, or undefined if the text is not a code at all. */
  idOf(code: string): string | undefined {
    const bytes = Buffer.from(code, 'base64url');
    // Node ignores characters outside base64url. Accept only the one text that these bytes encode to.
    if (bytes.length !== ID_BYTES + MAC_BYTES || bytes.toString('base64url') !== code) return undefined;
    return bytes.subarray(0, ID_BYTES).toString('base64url');
  }

  /** Returns true if the code is of one of the slots whose codes are accepted now. */
  isFresh(code: string, now: number): boolean {
    const id = this.idOf(code);
    if (id === undefined) return false;
    const mac = Buffer.from(code, 'base64url').subarray(ID_BYTES);
    const slot = this.#slot(id, now);
    return SLOTS_TO_TRY.some((distance) =>
      matches(this.#keys.candidates('code', id, `${slot + distance}`).map(truncate), mac),
    );
  }

  #slot(id: string, now: number): number {
    return Math.floor((now + this.#offset(id)) / this.#rotationMs);
  }

  /**
   * Returns a ticket's offset in the rotation. It spreads the rotations, so that not all browsers are updated at once.
   */
  #offset(id: string): number {
    return Buffer.from(id, 'base64url').readUInt32BE(ID_BYTES - 4) % this.#rotationMs;
  }
}

function truncate(mac: Buffer): Buffer {
  return mac.subarray(0, MAC_BYTES);
}
