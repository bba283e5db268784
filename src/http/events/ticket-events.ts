import type { Context } from 'koa';
import { callListener } from '../../oidc/call-listener.ts';
import type { Provider } from '../../oidc/provider.ts';
import type { ErrorCode } from '../../ticket/errors.ts';
import { ownerOf, type Ticket, wasReported } from '../../ticket/ticket.ts';
import { traceOf } from '../../ticket/ticket-id.ts';
import { sourceOf } from '../request/client-info.ts';
import type { CountedState, SignInMetrics } from './metrics.ts';

/**
 * An event of a ticket, as the provider emits it. It says which account did what and from where (OWASP ASVS 5.0,
 * V16.2.1), and never contains an id, a code, a cookie or an interaction's uid.
 */
export interface TicketEvent {
  /** A name of the ticket, which is the same in all of its events and has no other use. */
  readonly ticket: string;
  readonly clientId: string;
  /** The network address of the request that caused the event. */
  readonly from?: string;
  /** The network address of the browser that shows the code. */
  readonly browserFrom: string;
  /** The account that decides, once a phone has scanned. */
  readonly accountId?: string;
  /** The `client_id` of the app in which the account decides; absent if it decides on a page. */
  readonly app?: string;
  /** Present if the short code was typed on the phone instead of scanning. */
  readonly typed?: true;
  /** The reason, if the ticket was denied or cancelled. */
  readonly because?: string;
  /** Present if the ticket approves an action, and no sign-in. */
  readonly action?: true;
  /** Present if a client asks without a browser (CIBA). */
  readonly backchannel?: true;
}

/** An event about the end of an action. The provider emits it after the ticket's event that ended the action. */
export interface ActionEvent extends TicketEvent {
  readonly outcome: 'approved' | 'denied' | 'cancelled' | 'expired';
}

/**
 * The last argument of `qr_login.failed`, after the error: the error's code, the network address of the refused
 * request, and its account, if that is known.
 */
export interface FailureEvent {
  readonly code: ErrorCode;
  readonly from: string;
  readonly accountId?: string;
}

/**
 * The names of the events that the provider emits, with the request's context and a {@link TicketEvent}. There is no
 * context if a ticket expires, or if the store completed a step after the request had been answered with an error.
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

/** The part of a ticket that events report. */
export interface TicketFacts extends Pick<Ticket, 'id' | 'state' | 'shownAt' | 'since'> {
  readonly clientId: string;
  readonly browserFrom: string;
  readonly accountId: string | undefined;
  readonly app: string | undefined;
  readonly typed: true | undefined;
  readonly because: string | undefined;
  readonly action: true | undefined;
  readonly backchannel: true | undefined;
}

export function ticketFactsOf(ticket: Ticket): TicketFacts {
  const { id, state, shownAt, since } = ticket;
  return {
    id,
    state,
    shownAt,
    since,
    clientId: ticket.request.client.id,
    browserFrom: ticket.browser.source,
    accountId: ownerOf(ticket)?.accountId,
    app: ownerOf(ticket)?.grant?.clientId,
    typed: 'typed' in ticket ? ticket.typed : undefined,
    because: 'because' in ticket ? ticket.because : undefined,
    action: ticket.request.action && true,
    backchannel: ticket.request.backchannel && true,
  };
}

export type EmitTicketEvent = (ctx: Context | undefined, name: TicketEventName, facts: TicketFacts) => void;
export type Announce = (ctx: Context | undefined, name: TicketEventName, ticket: Ticket) => void;

/** The events that the metrics count. */
const STATE_OF_EVENT: Partial<Record<TicketEventName, CountedState>> = {
  'qr_login.shown': 'shown',
  'qr_login.denied': 'denied',
  'qr_login.reported': 'denied',
  'qr_login.cancelled': 'cancelled',
  'qr_login.expired': 'expired',
  'qr_login.finished': 'finished',
};

/** The events that end an action. */
const OUTCOME_OF_EVENT: Partial<Record<TicketEventName, ActionEvent['outcome']>> = {
  'qr_login.denied': 'denied',
  'qr_login.reported': 'denied',
  'qr_login.cancelled': 'cancelled',
  'qr_login.expired': 'expired',
  'qr_login.finished': 'approved',
};

/** Returns a function that counts a ticket's event in the metrics and emits it on the provider. */
export function makeTicketEmitter(provider: Provider, metrics: SignInMetrics): EmitTicketEvent {
  return (ctx, name, facts) => {
    const event = describeEvent(ctx, facts);
    // A report of a ticket that had ended otherwise must not count as a second end.
    const counts = name !== 'qr_login.reported' || facts.because === 'report';
    const state = STATE_OF_EVENT[name];
    // The metrics are those of sign-ins by QR.
    if (state !== undefined && counts && !facts.action && !facts.backchannel) metrics.count(state, facts);
    // The step is done: a listener that throws must not make its answer an error.
    callListener(() => provider.emit(name, ctx, event));
    const outcome = facts.action && counts ? OUTCOME_OF_EVENT[name] : undefined;
    if (outcome === undefined) return;
    const end: ActionEvent = { ...event, outcome };
    callListener(() => provider.emit('qr_login.action', ctx, end));
  };
}

function describeEvent(ctx: Context | undefined, facts: TicketFacts): TicketEvent {
  const { id, clientId, browserFrom, accountId, app, typed, because, action, backchannel } = facts;
  return {
    ticket: traceOf(id),
    clientId,
    ...(ctx && { from: sourceOf(ctx) }),
    browserFrom,
    ...(accountId !== undefined && { accountId }),
    ...(app !== undefined && { app }),
    ...(typed && { typed }),
    ...(because !== undefined && { because }),
    ...(action && { action }),
    ...(backchannel && { backchannel }),
  };
}

/** Returns the event that led to the present state of a ticket. */
export function eventOf(ticket: Ticket): TicketEventName {
  return wasReported(ticket) ? 'qr_login.reported' : EVENT_OF_STATE[ticket.state];
}

const EVENT_OF_STATE: Readonly<Record<Ticket['state'], TicketEventName>> = {
  waiting: 'qr_login.shown',
  scanned: 'qr_login.scanned',
  approved: 'qr_login.approved',
  denied: 'qr_login.denied',
  cancelled: 'qr_login.cancelled',
  redeemed: 'qr_login.finished',
};

/** Announces the state of a ticket that changed after the request had been answered. */
export function announceState(announce: Announce, ticket: Ticket): void {
  // Some changes leave the state as it was: a phone signs in for the ticket, or a check code is wrong or is demanded
  // only at finish.
  if (ticket.state === 'waiting' && ticket.signingIn) return;
  const { wrongTries = 0, atFinish = false } = (ticket.state === 'approved' && ticket.checkCode) || {};
  if (wrongTries === 0 && !atFinish) announce(undefined, eventOf(ticket), ticket);
}
