/** Reads the parts of a code's address: the code, and the id of the ticket. */
import { traceOf } from '../../src/ticket/ticket-id.ts';

export const CODE_LENGTH = 46;
export const ID_LENGTH = 24;

/** A value with the form of a code that was never shown. */
export const UNKNOWN_CODE: string = 'A'.repeat(CODE_LENGTH);

/** Returns the code: the last path segment of the address in a QR code. */
export function codeIn(address: string): string {
  return address.slice(-CODE_LENGTH);
}

/** Returns the id of the ticket that a code belongs to. */
export function idIn(address: string): string {
  return codeIn(address).slice(0, ID_LENGTH);
}

/** Returns the trace id that events use for the ticket that a code belongs to. */
export function traceIn(address: string): string {
  return traceOf(idIn(address));
}
