import type { DecidedState } from './errors.ts';
import { type Approver, isOwner, stateAt, type Ticket, type TicketState } from './ticket.ts';

/**
 * An act of the phone whose repetition changes nothing. A repeated report counts again: it may end more than before.
 */
export type RepeatableAct = 'scan' | 'approve' | 'deny' | 'unable';

/**
 * A ticket that shows the result of an act. A cancelled or expired ticket is not one, because it has an error that says
 * how it ended.
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
 * Returns true if this approver has done this act on the ticket before, and it stands. The first answer may have been
 * lost, so the act must be answered with the ticket as it is.
 */
export function isRepeated<Act extends RepeatableAct>(
  ticket: Ticket,
  approver: Approver,
  act: Act,
  now: number,
): ticket is StandingTicket<Act> {
  if (!isOwner(ticket, approver)) return false;
  // If the deployment's assessment has denied the ticket, that was the answer to the first Approve.
  if (act === 'approve' && ticket.state === 'denied') return ticket.because === 'risk' || ticket.because === 'blocked';
  return LEADS_TO[act].includes(stateAt(ticket, now));
}
