import { createHash, randomBytes } from 'node:crypto';
import { fingerprint } from './secret-keys.ts';

const PLACE_BYTES = 2;
const RANDOM_BYTES = 16;
const TRACE_LENGTH = 16;
export const ID_BYTES: number = PLACE_BYTES + RANDOM_BYTES;
/** The bytes of an id in base64url, which need no padding. */
const FORM = /^[\w-]{24}$/;

/**
 * Returns the id of a new ticket: the place of its interaction, then 128 bits from the system's random generator. All
 * tickets of an interaction have the same place, so that a store that is spread over machines keeps them on one
 * machine.
 */
export function newTicketId(interaction: string): string {
  return Buffer.concat([place(interaction), randomBytes(RANDOM_BYTES)]).toString('base64url');
}

/** Returns true if the text has the form of a ticket's id. */
export function isTicketId(text: string): boolean {
  return FORM.test(text);
}

/** Returns the place where a ticket is stored, as four hexadecimal digits. */
export function placeOfTicket(id: string): string {
  return Buffer.from(id, 'base64url').toString('hex', 0, PLACE_BYTES);
}

/**
 * Returns the place where an interaction's tickets are stored. It is 16 bits of a hash, which do not disclose the uid.
 */
export function placeOfInteraction(uid: string): string {
  return place(uid).toString('hex');
}

/**
 * Returns the name of a ticket in events and logs. It is the same in all of them, and gives no access to the ticket.
 */
export function traceOf(id: string): string {
  return fingerprint(id).slice(0, TRACE_LENGTH);
}

function place(interaction: string): Buffer {
  return createHash('sha256').update(interaction).digest().subarray(0, PLACE_BYTES);
}
