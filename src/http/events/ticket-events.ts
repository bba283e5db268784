import type { Context } from 'koa';
import type { Provider } from '../../oidc/provider.ts';
import type { ErrorCode } from '../../ticket/errors.ts';
import { ownerOf, type Ticket, wasReported } from '../../ticket/ticket.ts';
import { traceOf } from '../../ticket/ticket-id.ts';
import { sourceOf } from '../request/client-info.ts';
import type { Counted, Figures } from './metrics.ts';

/**
 * What happened to a ticket, as the provider emits it: who, what, from where (OWASP ASVS 5.0, V16.2.1); never an id, a code, a
 * cookie or an interaction's uid.
 */
export interface TicketEvent {
  /** A name for the ticket, the same in all of its events, and good for nothing else. */
  readonly ticket: string;
  readonly clientId: string;
  /** Where the request comes from that has led to this. */
  readonly from?: string;
  /** Where the browser is that shows the code. */
  readonly browserFrom: string;
  /** Who decides, once somebody has scanned. */
  readonly accountId?: string;
  /** Present at a scan that was none: the phone has typed the short code. */
  readonly typed?: true;
  /** Of a ticket that was denied or cancelled: why. */
  readonly because?: string;
}

/** What was refused, as `qr_login.failed` has it after the error: who, as far as that is known, and from where. */
export interface FailureEvent {
  readonly code: ErrorCode;
  readonly from: string;
  readonly accountId?: string;
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
  | 'qr_login.reported'
  | 'qr_login.cancelled'
  | 'qr_login.expired'
  | 'qr_login.finished';

/** What an event tells of a ticket, and no more. */
export interface Told extends Pick<Ticket, 'id' | 'state' | 'shownAt' | 'since'> {
  readonly clientId: string;
  readonly browserFrom: string;
  readonly accountId: string | undefined;
  readonly typed: true | undefined;
  readonly because: string | undefined;
}

export function toldOf(ticket: Ticket): Told {
  const { id, state, shownAt, since } = ticket;
  return {
    id,
    state,
    shownAt,
    since,
    clientId: ticket.request.client.id,
    browserFrom: ticket.browser.source,
    accountId: ownerOf(ticket)?.accountId,
    typed: 'typed' in ticket ? ticket.typed : undefined,
    because: 'because' in ticket ? ticket.because : undefined,
  };
}

export type Tell = (ctx: Context | undefined, name: TicketEventName, told: Told) => void;
export type Announce = (ctx: Context | undefined, name: TicketEventName, ticket: Ticket) => void;

/** The events that the metrics count. */
const COUNTED: Partial<Record<TicketEventName, Counted>> = {
  'qr_login.shown': 'shown',
  'qr_login.denied': 'denied',
  'qr_login.reported': 'denied',
  'qr_login.cancelled': 'cancelled',
  'qr_login.expired': 'expired',
  'qr_login.finished': 'finished',
};

/** Tells the deployment, through the provider's own events. */
export function announcer(provider: Provider, figures: Figures): Tell {
  return (ctx, name, told) => {
    const { clientId, browserFrom, accountId, typed, because } = told;
    const event: TicketEvent = {
      ticket: traceOf(told.id),
      clientId,
      ...(ctx && { from: sourceOf(ctx) }),
      browserFrom,
      ...(accountId !== undefined && { accountId }),
      ...(typed && { typed }),
      ...(because !== undefined && { because }),
    };
    const counted = COUNTED[name];
    // A report of a ticket that had ended otherwise does not end it again.
    const ended = name !== 'qr_login.reported' || told.state === 'denied';
    if (counted !== undefined && ended) figures.count(counted, told);
    provider.emit(name, ctx, event);
  };
}

/** What has led to the state that a ticket is in. */
export function eventOf(ticket: Ticket): TicketEventName {
  return wasReported(ticket) ? 'qr_login.reported' : LED_TO[ticket.state];
}

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
  if (!isTry) announce(undefined, eventOf(ticket), ticket);
}
