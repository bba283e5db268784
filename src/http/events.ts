import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { ownerOf, type Ticket } from '../ticket/ticket.ts';
import type { Counted, Figures } from './figures.ts';

/** What happened to a ticket, as the provider emits it: never a code, a cookie or an interaction's uid. */
export interface TicketEvent {
  readonly ticketId: string;
  readonly clientId: string;
  /** Who decides, once somebody has scanned. */
  readonly accountId?: string;
  /** Of a ticket that was cancelled: by whom. */
  readonly because?: string;
}

/**
 * Emitted on the provider with the request's context and a {@link TicketEvent}. There is none where a ticket expires, and where
 * the store did what a request wanted when that had been told to try again.
 */
export type TicketEventName =
  | 'qr_login.shown'
  | 'qr_login.scanned'
  | 'qr_login.approved'
  | 'qr_login.denied'
  | 'qr_login.cancelled'
  | 'qr_login.expired'
  | 'qr_login.finished';

export type Announce = (ctx: Context | undefined, name: TicketEventName, ticket: Ticket) => void;

/** The events that the metrics count. */
const COUNTED: Partial<Record<TicketEventName, Counted>> = {
  'qr_login.shown': 'shown',
  'qr_login.denied': 'denied',
  'qr_login.cancelled': 'cancelled',
  'qr_login.expired': 'expired',
  'qr_login.finished': 'finished',
};

/** Tells the deployment, through the provider's own events. */
export function announcer(provider: Provider, figures: Figures): Announce {
  return (ctx, name, ticket) => {
    const owner = ownerOf(ticket);
    const event: TicketEvent = {
      ticketId: ticket.id,
      clientId: ticket.request.client.id,
      ...(owner && { accountId: owner.accountId }),
      ...(ticket.state === 'cancelled' && { because: ticket.because }),
    };
    const counted = COUNTED[name];
    if (counted !== undefined) figures.count(counted, ticket);
    provider.emit(name, ctx, event);
  };
}

/** What led to each state. */
const LED_TO: Readonly<Record<Ticket['state'], TicketEventName>> = {
  waiting: 'qr_login.shown',
  scanned: 'qr_login.scanned',
  approved: 'qr_login.approved',
  denied: 'qr_login.denied',
  cancelled: 'qr_login.cancelled',
  redeemed: 'qr_login.finished',
};

/** Announces a ticket whose request is over. */
export function announceState(announce: Announce, ticket: Ticket): void {
  // A wrong check code changes the ticket, but not its state.
  const isTry = ticket.state === 'approved' && (ticket.checkCode?.wrongTries ?? 0) > 0;
  if (!isTry) announce(undefined, LED_TO[ticket.state], ticket);
}
