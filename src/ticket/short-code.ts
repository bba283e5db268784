import type { Keys } from './keys.ts';
import type { Notes } from './ports.ts';

/**
 * Sixteen characters that stand for four bits each, so that eight of them are 32 bits. They are for the eye, the ear and the thumb:
 *
 * - No vowels, of which words are made (RFC 8628, section 6.1); Y alone makes few.
 * - Of what looks alike one: Q of 0 O Q D, L of 1 I L, 2 of 2 Z, 5 of 5 S, 6 of 6 G, 8 of 8 B, Y of U V Y, and no 9, which is a small q.
 * - Of what sounds alike one: M of M N, F of F S, K of J K, 8 of 8 A H, 5 of 5 9, and 3 of all that rhyme with it, B C D G P T V Z.
 *   The twenty consonants of RFC 8628 are too many for that, which is why there are digits.
 */
const ALPHABET = '2345678FKLMQRWXY';
const LENGTH = 8;
const GOOD = new RegExp(`^[${ALPHABET}]{${LENGTH}}$`);

/** What people may take one of them for. What could be two of them is none: 1 is L or 7, 9 is 4 or Q. */
const TAKEN_FOR: ReadonlyMap<string, string> = new Map(
  Object.entries({ '0': 'Q', O: 'Q', I: 'L', Z: '2', S: '5', G: '6', B: '8', V: 'Y', N: 'M' }),
);

/** Spaces and dashes of any kind, and what nobody sees that a text may have been copied with. */
const BETWEEN = /[\s\p{Pd}\p{Cf}\u2212]/gu;

/** The eight characters that a person has typed, or undefined where that is no short code at all. */
export function readShortCode(typed: string): string | undefined {
  // A keyboard for Chinese or Japanese may write wide letters.
  const plain = typed.normalize('NFKC').toUpperCase().replace(BETWEEN, '');
  const read = [...plain].map((character) => TAKEN_FOR.get(character) ?? character).join('');
  return GOOD.test(read) ? read : undefined;
}

/**
 * What people type who cannot scan. It follows from the ticket's id and the server's key, and a note that is named by a MAC of it leads
 * back to the id: the store holds no short code. Of two tickets with the same one, which is as rare as 32 bits are, it leads to the
 * later; that is why a ticket that was claimed by it always takes the check code.
 */
export class ShortCodes {
  readonly #keys: Keys;
  readonly #notes: Notes;

  constructor(keys: Keys, notes: Notes) {
    this.#keys = keys;
    this.#notes = notes;
  }

  /** As people see it: `XXXX-XXXX`. */
  show(ticketId: string): string {
    const shortCode = encode(this.#keys.mac('short code', ticketId));
    return `${shortCode.slice(0, LENGTH / 2)}-${shortCode.slice(LENGTH / 2)}`;
  }

  /**
   * Makes what is shown for this ticket lead to it: under each key, as another node may already draw it with a newer one.
   * @param lasts milliseconds
   */
  async note(ticketId: string, lasts: number): Promise<void> {
    const shortCodes = this.#keys.candidates('short code', ticketId).map(encode);
    await Promise.all(
      shortCodes.map((shortCode) => this.#notes.write(nameOf(this.#keys.mac(NOTE, shortCode)), lasts, ticketId)),
    );
  }

  /** The id of the ticket that this was shown for; undefined where there is none. What is no short code takes as long. */
  async find(typed: string): Promise<string | undefined> {
    const names = this.#keys.candidates(NOTE, readShortCode(typed) ?? '').map(nameOf);
    const ids = await Promise.all(names.map((name) => this.#notes.read(name)));
    return ids.find((id) => id !== undefined);
  }
}

const NOTE = 'short code note';

/** The first 32 bits. */
function encode(mac: Buffer): string {
  return [...mac.toString('hex', 0, LENGTH / 2)].map((digit) => ALPHABET[Number.parseInt(digit, 16)]).join('');
}

function nameOf(mac: Buffer): string {
  return mac.toString('base64url');
}
