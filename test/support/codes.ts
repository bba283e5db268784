/** What stands in the addresses that people pass on: a code, and the id of a ticket. */
import { traceOf } from '../../src/ticket/ticket-id.ts';

export const CODE_LENGTH = 46;
export const ID_LENGTH = 24;

/** Has the form of a code, and was never shown. */
export const UNKNOWN_CODE: string = 'A'.repeat(CODE_LENGTH);

/** The last path segment of the address in a QR code. */
export function codeIn(address: string): string {
  return address.slice(-CODE_LENGTH);
}

/** The id of the ticket that a code was shown for. */
export function idIn(address: string): string {
  return codeIn(address).slice(0, ID_LENGTH);
}

/** What events call the ticket that a code was shown for. */
export function traceIn(address: string): string {
  return traceOf(idIn(address));
}
