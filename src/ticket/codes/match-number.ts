import { over, QrLoginError } from '../errors.ts';
import { matches, type SecretKeys } from '../secret-keys.ts';
import { type CancelledTicket, ownerOf } from '../ticket.ts';

/** The numbers of a ticket that its approver matches: the one on the screen, and those to tap. */
export interface MatchNumbers {
  /** The number on the browser's screen. */
  readonly shown: string;
  /** The numbers on the phone, in their order: the same one, and two others. */
  readonly offered: readonly string[];
}

const LOWEST = 10;
const HIGHEST = 99;
const DECOYS = 2;
const NUMBER_FORM = /^[1-9]\d$/;
/** The bytes of the MAC that each draw takes. With so many, the remainders of a division are almost equally likely. */
const DRAW_BYTES = 6;

/**
 * Returns the numbers of a ticket. Like the check code, they are derived from its id and the server's key, so that no
 * store holds them. A reloaded page shows the same numbers: if only the wrong ones changed, the right one would stand
 * out.
 */
export function matchNumbersOf(keys: SecretKeys, ticketId: string): MatchNumbers {
  return draw(keys.mac('match', ticketId));
}

/** Returns true if this is the number on the browser's screen. */
export function isShownNumber(keys: SecretKeys, ticketId: string, pick: string): boolean {
  const candidates = keys.candidates('match', ticketId).map((mac) => draw(mac).shown);
  return matches(candidates, pick);
}

/** Returns true if the text has the form of a number that a browser may show. */
export function isNumber(text: string): boolean {
  return NUMBER_FORM.test(text);
}

/** Returns true if the phone offers this number. */
export function isOfferedNumber(keys: SecretKeys, ticketId: string, pick: string): boolean {
  return keys.candidates('match', ticketId).some((mac) => draw(mac).offered.includes(pick));
}

function draw(mac: Buffer): MatchNumbers {
  const choose = (draws: number, count: number): number => mac.readUIntBE(draws * DRAW_BYTES, DRAW_BYTES) % count;
  const left = Array.from({ length: HIGHEST - LOWEST + 1 }, (_, index) => `${LOWEST + index}`);
  const [shown = '', ...offered] = Array.from({ length: 1 + DECOYS }, (_, draws) => {
    const [number = ''] = left.splice(choose(draws, left.length), 1);
    return number;
  });
  offered.splice(choose(1 + DECOYS, 1 + DECOYS), 0, shown);
  return { shown, offered };
}

/** Thrown when the approver has entered another number than the browser shows, which has ended the ticket. */
export class WrongNumber extends QrLoginError {
  readonly #ticket: CancelledTicket;

  constructor(ticket: CancelledTicket) {
    const { message, reason } = over('check-code');
    super('over', message, { reason });
    this.#ticket = ticket;
  }

  /** The account that entered it. */
  get accountId(): string {
    return ownerOf(this.#ticket)?.accountId ?? '';
  }

  get cancelledTicket(): CancelledTicket {
    return this.#ticket;
  }
}
