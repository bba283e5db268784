import { type Keys, matches } from './keys.ts';

/** What people type: six digits, with spaces allowed where they help to read. */
const TYPED = /^\d{6}$/;

/**
 * The six digits that the phone shows and the browser types: an out-of-band secret (NIST SP 800-63B-4, section 3.1.3).
 * They follow from the ticket's id and the server's key, so no store ever holds them.
 */
export function checkCodeOf(keys: Keys, ticketId: string): string {
  return digits(keys.mac('check code', ticketId));
}

/** The digits that a person typed, or undefined where it is no check code at all. */
export function readCheckCode(typed: string): string | undefined {
  const plain = typed.replace(/[\s-]/g, '');
  return TYPED.test(plain) ? plain : undefined;
}

export function isCheckCode(keys: Keys, ticketId: string, typed: string): boolean {
  return matches(keys.candidates('check code', ticketId).map(digits), typed);
}

function digits(mac: Buffer): string {
  return String(mac.readUIntBE(0, 6) % 1_000_000).padStart(6, '0');
}
