/** Tickets for stores that outlive a test, on the real clock: each test has its own. */
import { randomUUID } from 'node:crypto';
import type { CancelledTicket, Ticket, WaitingTicket } from '../../src/ticket/ticket.ts';
import { newTicketId } from '../../src/ticket/ticket-id.ts';
import { cancelled, scanned, waiting } from '../ticket/builders.ts';

const A_MINUTE = 60_000;

export function newTicket(more: Partial<WaitingTicket> = {}): WaitingTicket {
  const interaction = more.interaction ?? randomUUID();
  return waiting({ id: newTicketId(interaction), interaction, deadline: Date.now() + A_MINUTE, ...more });
}

/** The next ticket of the same interaction. */
export function follower(ticket: Ticket, more: Partial<WaitingTicket> = {}): WaitingTicket {
  return newTicket({ interaction: ticket.interaction, version: ticket.version + 2, ...more });
}

/** The ticket, one version on. */
export function changed(ticket: Ticket, more: { deadline?: number } = {}): Ticket {
  const { id, interaction, deadline } = ticket;
  return scanned({ id, interaction, deadline, version: ticket.version + 1, ...more });
}

/** How the ticket ends that another one takes the place of. */
export function endOf(ticket: Ticket, more: { deadline?: number } = {}): CancelledTicket {
  const { id, interaction, deadline } = ticket;
  return cancelled({ id, interaction, deadline, version: ticket.version + 1, because: 'renewed', ...more });
}
