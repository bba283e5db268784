import { createHash, randomBytes } from 'node:crypto';
import { fingerprint } from './keys.ts';

const PLACE_BYTES = 2;
const RANDOM_BYTES = 16;
const TRACE_LENGTH = 16;
export const ID_BYTES: number = PLACE_BYTES + RANDOM_BYTES;

/**
 * The id of a new ticket: the place of its interaction, then 128 bits from the system's generator. All tickets of an
 * interaction have the same place, so that a store which is spread over machines finds them on one.
 */
export function newTicketId(interaction: string): string {
  return Buffer.concat([place(interaction), randomBytes(RANDOM_BYTES)]).toString('base64url');
}

/** Where a ticket is kept: four hexadecimal digits. */
export function placeOf(id: string): string {
  return Buffer.from(id, 'base64url').toString('hex', 0, PLACE_BYTES);
}

/** Where an interaction's tickets are kept. Sixteen bits of a hash say nothing of its uid. */
export function placeOfInteraction(uid: string): string {
  return place(uid).toString('hex');
}

/** What a ticket is called in events and logs: the same in all of them, and good for nothing else. */
export function traceOf(id: string): string {
  return fingerprint(id).slice(0, TRACE_LENGTH);
}

function place(interaction: string): Buffer {
  return createHash('sha256').update(interaction).digest().subarray(0, PLACE_BYTES);
}
