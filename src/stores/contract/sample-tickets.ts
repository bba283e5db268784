/** Tickets on the real clock, with random ids, for stores that several tests share. */
import { randomUUID } from 'node:crypto';
import type { CancelledTicket, Ticket, WaitingTicket } from '../../src/ticket/ticket.ts';
import { newTicketId } from '../../src/ticket/ticket-id.ts';
import { cancelled, scanned, waiting } from '../ticket/builders.ts';

const MINUTE_MS = 60_000;

export function newTicket(more: Partial<WaitingTicket> = {}): WaitingTicket {
  const interaction = more.interaction ?? randomUUID();
  return waiting({ id: newTicketId(interaction), interaction, deadline: Date.now() + MINUTE_MS, ...more });
}

/** Returns the next ticket of the same interaction. */
export function follower(ticket: Ticket, more: Partial<WaitingTicket> = {}): WaitingTicket {
  return newTicket({ interaction: ticket.interaction, version: ticket.version + 2, ...more });
}

/** Returns the ticket with the next version, scanned. */
export function changed(ticket: Ticket, more: { deadline?: number } = {}): Ticket {
  const { id, interaction, deadline } = ticket;
  return scanned({ id, interaction, deadline, version: ticket.version + 1, ...more });
}

/** Returns the final state of a ticket that another one replaces. */
export function endOf(ticket: Ticket, more: { deadline?: number } = {}): CancelledTicket {
  const { id, interaction, deadline } = ticket;
  return cancelled({ id, interaction, deadline, version: ticket.version + 1, because: 'renewed', ...more });
}
