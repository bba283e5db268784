import type { DecidedState } from './errors.ts';
import { type Approver, isOwner, stateAt, type Ticket, type TicketState } from './ticket.ts';

/**
 * An act of the phone whose repetition changes nothing. A report is no such act, because a repeated report may end more
 * than the first one did.
 */
export type RepeatableAct = 'scan' | 'approve' | 'deny' | 'unable';

/**
 * A ticket that shows the result of an act. Cancelled and expired tickets do not count, because they have an error that
 * says how they ended.
 */
type StandingTicket<Act extends RepeatableAct> = Extract<
  Ticket,
  { readonly state: Act extends 'scan' ? 'scanned' | DecidedState : DecidedState }
>;

/** The states that each act leads to, at once or later. */
const LEADS_TO: Readonly<Record<RepeatableAct, readonly TicketState[]>> = {
  scan: ['scanned', 'approved', 'denied', 'redeemed'],
  approve: ['approved', 'redeemed'],
  deny: ['denied'],
  unable: ['denied'],
};

/**
 * Returns true if this approver has done this act on the ticket before, and its result still stands. The first answer
 * may have been lost, so the act must be answered with the ticket as it is.
 */
export function isRepeated<Act extends RepeatableAct>(
  ticket: Ticket,
  approver: Approver,
  act: Act,
  now: number,
): ticket is StandingTicket<Act> {
  if (!isOwner(ticket, approver)) return false;
  // If the deployment's assessment or an earlier report has denied the ticket, that was the answer to the first
  // Approve.
  if (act === 'approve' && ticket.state === 'denied') return ticket.because === 'risk' || ticket.because === 'blocked';
  return LEADS_TO[act].includes(stateAt(ticket, now));
}
