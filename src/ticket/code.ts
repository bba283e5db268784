import { type Keys, matches } from './keys.ts';
import { ID_BYTES } from './ticket-id.ts';

const MAC_BYTES = 16;

/** How many characters a code has, in base64url (RFC 4648, section 5). */
export const CODE_LENGTH: number = Math.ceil(((ID_BYTES + MAC_BYTES) * 4) / 3);

/** How many slots back a code is still good, so that a scan may take a moment. */
const SLOTS_BACK = 2;
/** A node whose clock is a little ahead may already show the next one. */
const SLOTS_AHEAD = 1;

/** What the QR carries: `id ‖ HMAC(server key, id ‖ slot)`, a proof that it was on the screen just now. */
export class Codes {
  readonly #keys: Keys;
  readonly #rotation: number;

  /** @param rotation how long a code stays on the screen, in milliseconds */
  constructor(keys: Keys, rotation: number) {
    this.#keys = keys;
    this.#rotation = rotation;
  }

  /** The code to show now, and the milliseconds until the next one. */
  show(id: string, now: number): { code: string; rotatesIn: number } {
    const slot = this.#slot(id, now);
    const code = Buffer.concat([Buffer.from(id, 'base64url'), truncate(this.#keys.mac('code', id, `${slot}`))]);
    return { code: code.toString('base64url'), rotatesIn: this.rotatesIn(id, now) };
  }

  /** The milliseconds until there is another code to show. */
  rotatesIn(id: string, now: number): number {
    return this.#rotation - ((now + this.#offset(id)) % this.#rotation);
  }

  /** The id in a code; nothing is proven by it. Undefined where the text is no code at all. */
  idOf(code: string): string | undefined {
    const bytes = Buffer.from(code, 'base64url');
    // Node ignores what is not base64url: only the one text that these bytes encode to is a code.
    if (bytes.length !== ID_BYTES + MAC_BYTES || bytes.toString('base64url') !== code) return undefined;
    return bytes.subarray(0, ID_BYTES).toString('base64url');
  }

  /** Whether the code was on the screen within the last three slots. */
  isFresh(code: string, now: number): boolean {
    const id = this.idOf(code);
    if (id === undefined) return false;
    const mac = Buffer.from(code, 'base64url').subarray(ID_BYTES);
    const slot = this.#slot(id, now);
    const good: Buffer[] = [];
    for (let s = slot - SLOTS_BACK; s <= slot + SLOTS_AHEAD; s++) {
      good.push(...this.#keys.candidates('code', id, `${s}`).map(truncate));
    }
    return matches(good, mac);
  }

  #slot(id: string, now: number): number {
    return Math.floor((now + this.#offset(id)) / this.#rotation);
  }

  /** Spreads the moments at which tickets rotate, so that not every browser is written to at once. */
  #offset(id: string): number {
    return Buffer.from(id, 'base64url').readUInt32BE(ID_BYTES - 4) % this.#rotation;
  }
}

function truncate(mac: Buffer): Buffer {
  return mac.subarray(0, MAC_BYTES);
}
