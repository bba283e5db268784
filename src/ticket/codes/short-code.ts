import type { Notes } from '../ports.ts';
import type { SecretKeys } from '../secret-keys.ts';
import { withoutSeparators } from './typed-text.ts';

/**
 * Sixteen characters that stand for four bits each, so that eight of them are 32 bits. They are easy to read, to say
 * and to type:
 *
 * - No vowels, so that no words appear (RFC 8628, section 6.1), except Y, which makes few words.
 * - One character of each group that looks alike: Q of 0 O Q D, L of 1 I L, 2 of 2 Z, 5 of 5 S, 6 of 6 G, 8 of 8 B, Y
 *   of U V Y. There is no 9, because it looks like a small q.
 * - One character of each group that sounds alike: M of M N, F of F S, K of J K, 8 of 8 A H, 5 of 5 9, and 3 of those
 *   that rhyme with it, B C D G P T V Z. The twenty consonants of RFC 8628 contain too many of these, so the alphabet
 *   has digits, too.
 */
const ALPHABET = '2345678FKLMQRWXY';
const LENGTH = 8;
const SHORT_CODE = new RegExp(`^[${ALPHABET}]{${LENGTH}}$`);

/**
 * Maps characters that a user may read instead of one of the alphabet. A character that could be two of them is not
 * accepted: 1 is L or 7, 9 is 4 or Q.
 */
const LOOKALIKES: ReadonlyMap<string, string> = new Map(
  Object.entries({ '0': 'Q', O: 'Q', I: 'L', Z: '2', S: '5', G: '6', B: '8', V: 'Y', N: 'M' }),
);

/** Returns the eight characters that the user typed, or undefined if the text is not a short code at all. */
export function readShortCode(typed: string): string | undefined {
  const plain = withoutSeparators(typed).toUpperCase();
  const read = [...plain].map((character) => LOOKALIKES.get(character) ?? character).join('');
  return SHORT_CODE.test(read) ? read : undefined;
}

/**
 * Makes and finds the short codes, which a user types instead of scanning. A short code is derived from the ticket's id
 * and the server's key. A note under a MAC of the short code holds the id, so the store never holds a short code. If
 * two tickets have the same short code, which is as rare as a collision of 32 bits, it leads to the later ticket. That
 * is why a ticket that was claimed by its short code always requires the check code.
 */
export class ShortCodes {
  readonly #keys: SecretKeys;
  readonly #notes: Notes;

  constructor(keys: SecretKeys, notes: Notes) {
    this.#keys = keys;
    this.#notes = notes;
  }

  /** Returns the short code as users see it: `XXXX-XXXX`. */
  show(ticketId: string): string {
    const shortCode = encode(this.#keys.mac('short code', ticketId));
    return `${shortCode.slice(0, LENGTH / 2)}-${shortCode.slice(LENGTH / 2)}`;
  }

  /**
   * Writes the notes that lead from this ticket's short codes to its id, one for each key, because another node may
   * already make the short code with a newer key.
   * @param lasts the notes' lifetime in milliseconds
   */
  async note(ticketId: string, lasts: number): Promise<void> {
    const shortCodes = this.#keys.candidates('short code', ticketId).map(encode);
    await Promise.all(
      shortCodes.map((shortCode) => this.#notes.write(nameOf(this.#keys.mac(NOTE, shortCode)), lasts, ticketId)),
    );
  }

  /**
   * Returns the id of the ticket that this short code was shown for, or undefined if there is none. A text that is not
   * a short code takes as long to look up.
   */
  async find(typed: string): Promise<string | undefined> {
    const names = this.#keys.candidates(NOTE, readShortCode(typed) ?? '').map(nameOf);
    const ids = await Promise.all(names.map((name) => this.#notes.read(name)));
    return ids.find((id) => id !== undefined);
  }
}

const NOTE = 'short code note';

/** Encodes the first 32 bits of a MAC. */
function encode(mac: Buffer): string {
  return [...mac.toString('hex', 0, LENGTH / 2)].map((digit) => ALPHABET[Number.parseInt(digit, 16)]).join('');
}

function nameOf(mac: Buffer): string {
  return mac.toString('base64url');
}
