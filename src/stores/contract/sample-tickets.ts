/** Tickets in every state, with random ids and on the real clock, for stores that several tests share. */
import { randomUUID } from 'node:crypto';
import type { Approver, Browser, CancelledTicket, ScannedTicket, Ticket, WaitingTicket } from '../../ticket/ticket.ts';
import { newTicketId } from '../../ticket/ticket-id.ts';

const MINUTE_MS = 60_000;

const APPROVER: Approver = {
  accountId: 'alice',
  sessionUid: 'session-of-alice',
  authenticatedAt: Math.floor(Date.now() / 1000) - 600,
  acr: 'urn:example:password',
  amr: ['pwd'],
};

export const BROWSER: Browser = {
  binding: 'binding',
  source: '192.0.2.1',
  address: '192.0.2.1',
  name: 'Firefox',
  system: 'Linux',
};

export function newTicket(more: Partial<WaitingTicket> = {}): WaitingTicket {
  const now = Date.now();
  const interaction = more.interaction ?? randomUUID();
  return {
    id: newTicketId(interaction),
    version: 1,
    interaction,
    request: {
      client: { id: 'rp', name: 'An app', host: 'rp.example' },
      scopes: ['openid', 'profile'],
      locales: ['en'],
      requirements: {},
    },
    browser: BROWSER,
    shownAt: now - 10_000,
    since: now - 5_000,
    deadline: now + MINUTE_MS,
    endsAt: now + 60 * MINUTE_MS,
    state: 'waiting',
    ...more,
  };
}

/** Returns the next ticket of the same interaction. */
export function toFollower(ticket: Ticket, more: Partial<WaitingTicket> = {}): WaitingTicket {
  return newTicket({ interaction: ticket.interaction, version: ticket.version + 2, ...more });
}

/** Returns the ticket with the next version, scanned. */
export function toScanned(ticket: Ticket, more: { deadline?: number } = {}): ScannedTicket {
  return { ...next(ticket), state: 'scanned', approver: APPROVER, ...more };
}

/** Returns the final state of a ticket that another one replaces. */
export function toReplaced(ticket: Ticket, more: { deadline?: number } = {}): CancelledTicket {
  return { ...next(ticket), state: 'cancelled', because: 'renewed', ...more };
}

/** Returns the ticket in each state after `waiting`. Their versions are consecutive. */
export function allStates(ticket: WaitingTicket): Ticket[] {
  const fixed = next(ticket);
  const approver = APPROVER;
  const states: Ticket[] = [
    { ...fixed, state: 'scanned', approver },
    { ...fixed, state: 'approved', approver, remember: false },
    { ...fixed, state: 'approved', approver, remember: true, checkCode: { wrongTries: 2 } },
    { ...fixed, state: 'denied', approver, because: 'person' },
    { ...fixed, state: 'redeemed', approver, remember: false, approvedAt: fixed.since },
    { ...fixed, state: 'cancelled', because: 'browser' },
  ];
  return states.map((state, index) => ({ ...state, version: fixed.version + index }));
}

/** Returns what all states of a ticket have in common, with the next version. */
function next({ id, version, interaction, request, browser, shownAt, since, deadline, endsAt }: Ticket) {
  return { id, version: version + 1, interaction, request, browser, shownAt, since, deadline, endsAt };
}
