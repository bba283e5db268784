import { QrLoginError } from '../errors.ts';
import { matches, type SecretKeys } from '../secret-keys.ts';
import { type ApprovedTicket, type CancelledTicket, ownerOf } from '../ticket.ts';
import { MAX_WRONG_CHECK_CODES } from '../transitions.ts';
import { withoutSeparators } from './typed-text.ts';

const CHECK_CODE = /^\d{6}$/;
/** The zeros of scripts with digits of their own that keyboards type: Arabic-Indic, Persian and Urdu, Devanagari. */
const ZEROS: readonly number[] = [0x0660, 0x06f0, 0x0966];

/**
 * Returns the six digits that the phone shows and the user types at the browser: an out-of-band secret (NIST SP
 * 800-63B-4, section 3.1.3). They are derived from the ticket's id and the server's key, so no store ever holds them.
 */
export function checkCodeOf(keys: SecretKeys, ticketId: string): string {
  return digits(keys.mac('check code', ticketId));
}

/** Returns the digits that the user typed, or undefined if the text is not a check code at all. */
export function readCheckCode(typed: string): string | undefined {
  const plain = withoutSeparators(typed).replace(/\p{Nd}/gu, toAsciiDigit);
  return CHECK_CODE.test(plain) ? plain : undefined;
}

function toAsciiDigit(digit: string): string {
  const code = digit.charCodeAt(0);
  const zero = ZEROS.find((first) => code >= first && code < first + 10);
  return zero === undefined ? digit : `${code - zero}`;
}

export function isCheckCode(keys: SecretKeys, ticketId: string, typed: string): boolean {
  return matches(keys.candidates('check code', ticketId).map(digits), typed);
}

function digits(mac: Buffer): string {
  return String(mac.readUIntBE(0, 6) % 1_000_000).padStart(6, '0');
}

/**
 * Thrown after a wrong check code was counted. The ticket is private, so that a log of the error does not contain it.
 */
export class WrongCheckCode extends QrLoginError {
  readonly #ticket: ApprovedTicket | CancelledTicket;

  constructor(ticket: ApprovedTicket | CancelledTicket) {
    const left = ticket.state === 'approved' ? MAX_WRONG_CHECK_CODES - (ticket.checkCode?.wrongTries ?? 0) : 0;
    const advice = left > 0 ? `Tries left: ${left}.` : 'No tries are left; show a new code and scan it.';
    super('wrong_check_code', `These are not the digits that the phone shows. ${advice}`, {
      reason: left > 0 ? undefined : 'last-try',
    });
    this.#ticket = ticket;
  }

  /** The account that scanned the ticket. */
  get accountId(): string {
    return ownerOf(this.#ticket)?.accountId ?? '';
  }

  /** The cancelled ticket if this was the last try, otherwise undefined. */
  get cancelledTicket(): CancelledTicket | undefined {
    return this.#ticket.state === 'cancelled' ? this.#ticket : undefined;
  }
}
