import type { BrowserKey } from './browsers/browser-key.ts';
import type { Duration } from './browsers/duration.ts';
import { DecidedOtherwise, type ErrorReason, notFound, over, QrLoginError, scannedElsewhere } from './errors.ts';
import { ACTION_FORMAT, BACKCHANNEL_FORMAT, WRITTEN_FORMAT } from './record-format.ts';
import { canTakeOver, isNamedAccount, markIfForTicket, refusal, unmetBy } from './requirements.ts';
import {
  type ApprovedTicket,
  type Approver,
  type Browser,
  type CancelledTicket,
  type DeniedTicket,
  hasBrowser,
  isLive,
  isOwner,
  isSignIn,
  type KnownBy,
  ownerOf,
  type PhoneDevice,
  type RedeemedTicket,
  requestEnd,
  type ScannedTicket,
  type SignInRequest,
  stateAt,
  type Ticket,
  type UnmetRequirement,
  type WaitingTicket,
} from './ticket.ts';

/** The lifetimes of the states, in milliseconds. */
export interface Lifetimes {
  readonly scan: number;
  readonly decide: number;
  readonly finish: number;
  /** The time that a waiting ticket still has once a phone has begun to sign in for it. */
  readonly signIn: number;
}

/** The time of a step, in milliseconds since the epoch, and the lifetimes of the states that it may lead to. */
export interface Moment {
  readonly now: number;
  readonly lifetimes: Lifetimes;
}

/** The number of wrong check codes that ends a ticket. NIST SP 800-63B-4, section 3.1.3.2, does not prescribe one. */
export const MAX_WRONG_CHECK_CODES = 3;

export interface NewTicket {
  readonly id: string;
  readonly interaction: string;
  readonly request: SignInRequest;
  readonly browser: Browser;
  readonly endsAt: number;
}

/** Returns a ticket in its first state. Its versions continue those of the interaction's previous ticket. */
export function show(fixed: NewTicket, previous: Ticket | undefined, { now, lifetimes }: Moment): WaitingTicket {
  if (now >= fixed.endsAt) throw over();
  return {
    ...fixed,
    state: 'waiting',
    format: formatOf(fixed.request),
    // Skip one version for `expired`, which the browser sees as a version of its own although the store never writes
    // it.
    version: previous === undefined ? 1 : previous.version + 2,
    shownAt: now,
    since: now,
    // The code of an action rotates as well, but there is no next ticket after this one.
    deadline: requestEnd(fixed.request) ?? Math.min(now + lifetimes.scan, fixed.endsAt),
  };
}

/** Shows an action in a browser: in the first one that opens it, and only before a phone scans. */
export function putOnScreen(ticket: Ticket, browser: Browser, { now }: Moment): WaitingTicket {
  if (hasEnded(ticket, now)) throw endedError(ticket, now);
  if (ticket.state !== 'waiting' || hasBrowser(ticket)) throw notFound();
  return { ...next(ticket, ticket.since, ticket.deadline), state: 'waiting', browser };
}

/**
 * Marks a waiting ticket: a phone without a session has opened its code, and its user signs in now. Gives the ticket
 * more time for that, but only once: a ticket that is marked already stays as it is.
 */
export function awaitSignIn(ticket: Ticket, { now, lifetimes }: Moment): WaitingTicket {
  if (hasEnded(ticket, now)) throw endedError(ticket, now);
  if (ticket.state !== 'waiting') throw wrongState(ticket, 'kept waiting');
  if (ticket.signingIn) return ticket;
  const deadline = Math.max(ticket.deadline, liveUntil(ticket, now + lifetimes.signIn));
  return { ...next(ticket, ticket.since, deadline), state: 'waiting', signingIn: true };
}

/**
 * Locks the ticket to the first approver. To a second approver it looks like an unknown ticket, with two exceptions: if
 * the first approver's account cannot approve the request and the second one's can, the second takes over in the time
 * that is left; and a request without a browser is taken over by each device of its account that opens it.
 * @param phone the device that scans; undefined if nothing is known of it
 */
export function scan(
  ticket: Ticket,
  approver: Approver,
  { now, lifetimes }: Moment,
  phone?: PhoneDevice,
): ScannedTicket {
  const { backchannel } = ticket.request;
  if (!(hasBrowser(ticket) || backchannel) || !isNamedAccount(ticket, approver)) throw notFound();
  if (isLive(ticket, now) && canTakeOver(ticket, approver)) {
    return { ...withPhone(next(ticket, now, ticket.deadline), phone), state: 'scanned', approver };
  }
  if (ticket.state !== 'waiting') {
    assertOwner(ticket, approver, now);
    throw hasEnded(ticket, now) ? endedError(ticket, now) : wrongState(ticket, 'scanned');
  }
  if (!isLive(ticket, now)) throw notFound();
  // A request without a browser keeps its own deadline after a scan, because another device may still open it.
  const deadline = backchannel?.expiresAt ?? liveUntil(ticket, now + lifetimes.decide);
  return { ...withPhone(next(ticket, now, deadline), phone), state: 'scanned', approver };
}

/** Does the same as {@link scan} for an approver who typed the short code. */
export function scanTyped(ticket: Ticket, approver: Approver, moment: Moment, phone?: PhoneDevice): ScannedTicket {
  return { ...scan(ticket, approver, moment, phone), typed: true };
}

export interface Approval {
  /** The approver by the phone's session as it is now, not as it was when the phone scanned. */
  readonly approver: Approver;
  /**
   * True if the user must type the check code at the browser; always required if the short code was typed on the phone,
   * and never once the approver has tapped the number that the browser shows.
   */
  readonly checkCode: boolean;
  /** True if another account was last signed in to the browser by QR. Default: false. */
  readonly changesAccount?: boolean;
  /** The evidence by which the account knows the browser. Default: it does not know it. */
  readonly knownBy?: KnownBy | undefined;
  /** True if the browser stays signed in when it is closed. Default: false. */
  readonly remember?: boolean;
  /** The time that the user has chosen, if the deployment offers several. */
  readonly duration?: Duration | undefined;
  /** The key of the browser, if the account may be used in enrolled browsers only. */
  readonly enrolledKey?: BrowserKey | undefined;
}

export function approve(
  ticket: Ticket,
  { approver, checkCode, changesAccount = false, knownBy, remember = false, duration, enrolledKey }: Approval,
  { now, lifetimes }: Moment,
): ApprovedTicket {
  const scanned = requireDecidable(ticket, approver, now);
  const current = markIfForTicket(scanned, approver);
  const unmet = unmetBy(scanned, current, now);
  if (unmet !== undefined) throw refusal(unmet);
  return {
    ...next(scanned, now, liveUntil(scanned, now + lifetimes.finish)),
    state: 'approved',
    approver: current,
    remember,
    ...(duration !== undefined && { duration }),
    ...(enrolledKey !== undefined && { enrolledKey }),
    ...(changesAccount && { changesAccount }),
    ...((checkCode && !scanned.match) || scanned.typed ? { checkCode: { wrongTries: 0 } } : knownBy && { knownBy }),
  };
}

export function deny(ticket: Ticket, approver: Approver, moment: Moment): DeniedTicket {
  const { now } = moment;
  const scanned = requireDecidable(ticket, approver, now);
  return {
    ...next(scanned, now, finalUntil(scanned, moment)),
    state: 'denied',
    approver: scanned.approver,
    because: 'person',
  };
}

/**
 * Denies the ticket because the approver did not start the sign-in. An approver may also report after Approve, as long
 * as the browser is not signed in. The ticket stays denied for as long as its interaction lasts, so that no other
 * ticket takes its place.
 */
export function report(ticket: Ticket, approver: Approver, { now }: Moment): DeniedTicket {
  const mine = ticket.state === 'approved' ? ticket : requireDecidable(ticket, approver, now);
  assertOwner(mine, approver, now);
  if (hasEnded(mine, now)) throw endedError(mine, now);
  return { ...next(mine, now, mine.endsAt), state: 'denied', approver: mine.approver, because: 'report' };
}

/** Denies a ticket that waits for a scan, because the approver has reported the earlier ticket that it has replaced. */
export function reportNext(ticket: WaitingTicket, approver: Approver, { now }: Moment): DeniedTicket {
  if (hasEnded(ticket, now)) throw endedError(ticket, now);
  return { ...next(ticket, now, ticket.endsAt), state: 'denied', approver, because: 'report' };
}

/** Denies the ticket because of the deployment's assessment, when the phone scans or when it approves. */
export function forbid(ticket: Ticket, approver: Approver, moment: Moment): DeniedTicket {
  const { now } = moment;
  const scanned = requireDecidable(ticket, approver, now);
  return { ...next(scanned, now, finalUntil(scanned, moment)), state: 'denied', approver, because: 'risk' };
}

/** Denies the ticket because this account has reported the browser's network address before. */
export function block(ticket: Ticket, approver: Approver, moment: Moment): DeniedTicket {
  return { ...forbid(ticket, approver, moment), because: 'blocked' };
}

/**
 * Denies the ticket because the phone cannot meet a requirement of the request. The RP's error says which one.
 * @param besides a requirement that the ticket alone does not show
 */
export function giveUp(ticket: Ticket, approver: Approver, moment: Moment, besides?: UnmetRequirement): DeniedTicket {
  const { now } = moment;
  const scanned = requireDecidable(ticket, approver, now);
  const because = unmetBy(scanned, markIfForTicket(scanned, approver), now) ?? besides;
  if (because === undefined) throw new QrLoginError('invalid_request', 'All requirements are met. Approve or deny.');
  return { ...next(scanned, now, finalUntil(scanned, moment)), state: 'denied', approver: scanned.approver, because };
}

/**
 * Denies an approved ticket because the approver's sign-in has become older than the request allows (`max_age`), before
 * the browser has finished.
 */
export function outdate(ticket: Ticket, moment: Moment): DeniedTicket {
  const { now } = moment;
  const approved = requireFinishable(ticket, now);
  const { approver } = approved;
  return { ...next(approved, now, finalUntil(approved, moment)), state: 'denied', approver, because: 'freshness' };
}

/**
 * Redeems the ticket, which signs the browser in or lets the action happen. No step follows.
 * @param grantId the grant that the client of a request without a browser got
 */
export function redeem(ticket: Ticket, moment: Moment, grantId?: string): RedeemedTicket {
  const { now } = moment;
  const approved = requireFinishable(ticket, now);
  const { approver, remember, duration, enrolledKey, since: approvedAt } = approved;
  return {
    ...next(approved, now, finalUntil(approved, moment)),
    state: 'redeemed',
    approver,
    remember,
    ...(duration !== undefined && { duration }),
    ...(enrolledKey !== undefined && { enrolledKey }),
    ...(grantId !== undefined && { grantId }),
    approvedAt,
  };
}

/** Demands the check code after Approve, because the evidence that made it unnecessary is gone. The deadline stays. */
export function demandCheckCode(ticket: Ticket, { now }: Moment): ApprovedTicket {
  return { ...withWrongTries(requireFinishable(ticket, now), 0), checkCode: { wrongTries: 0, atFinish: true } };
}

/** Counts a wrong check code; the third one ends the ticket. */
export function refuseCheckCode(ticket: Ticket, moment: Moment): ApprovedTicket | CancelledTicket {
  const approved = requireFinishable(ticket, moment.now);
  const wrongTries = (approved.checkCode?.wrongTries ?? 0) + 1;
  if (wrongTries >= MAX_WRONG_CHECK_CODES) return cancel(approved, 'check code', moment);
  return withWrongTries(approved, wrongTries);
}

export function cancel(ticket: Ticket, because: CancelledTicket['because'], moment: Moment): CancelledTicket {
  const { now } = moment;
  if (hasEnded(ticket, now)) throw endedError(ticket, now);
  return toCancelled(ticket, because, now, finalUntil(ticket, moment));
}

/**
 * Returns the last state of a ticket that another one replaces, or undefined if it had reached a final state before.
 */
export function endReplaced(ticket: Ticket, { now, lifetimes }: Moment): CancelledTicket | undefined {
  // An expired ticket is cancelled as well, because by another node's clock it may still be live.
  const expired = stateAt(ticket, now) === 'expired';
  return expired || isLive(ticket, now) ? toCancelled(ticket, 'renewed', now, now + lifetimes.finish) : undefined;
}

/**
 * Ensures that the approver is the account and the session that scanned the ticket.
 * @throws QrLoginError `not_found` to another account; another session of the same account is told what has happened
 */
export function assertOwner(ticket: Ticket, approver: Approver, now: number): void {
  if (isOwner(ticket, approver)) return;
  if (ownerOf(ticket)?.accountId !== approver.accountId) throw notFound();
  throw isLive(ticket, now) ? scannedElsewhere() : endedError(ticket, now);
}

/** Returns the error for a ticket that has ended, with the reason. */
export function endedError(ticket: Ticket, now: number): QrLoginError {
  if (stateAt(ticket, now) === 'expired') return over('expired');
  return over(ticket.state === 'cancelled' ? REASONS[ticket.because] : undefined);
}

const REASONS: Readonly<Record<CancelledTicket['because'], ErrorReason>> = {
  renewed: 'renewed',
  browser: 'cancelled',
  requester: 'cancelled',
  'check code': 'check-code',
};

/**
 * Returns the ticket as one that its approver has scanned and not decided.
 * @throws QrLoginError as `assertOwner`; `over` with the reason; DecidedOtherwise if it is decided
 */
export function requireDecidable(ticket: Ticket, approver: Approver, now: number): ScannedTicket {
  assertOwner(ticket, approver, now);
  if (stateAt(ticket, now) === 'expired' || ticket.state === 'cancelled') throw endedError(ticket, now);
  if (ticket.state === 'scanned') return ticket;
  // A waiting ticket has no owner, so to this approver it is an unknown ticket.
  throw ticket.state === 'waiting' ? notFound() : new DecidedOtherwise(ticket.state);
}

function requireFinishable(ticket: Ticket, now: number): ApprovedTicket {
  if (hasEnded(ticket, now)) throw endedError(ticket, now);
  if (ticket.state !== 'approved') throw wrongState(ticket, 'finished');
  return ticket;
}

function withWrongTries(approved: ApprovedTicket, wrongTries: number): ApprovedTicket {
  const { knownBy, ...kept } = approved;
  return { ...kept, version: approved.version + 1, checkCode: { ...approved.checkCode, wrongTries } };
}

function toCancelled(
  ticket: Ticket,
  because: CancelledTicket['because'],
  now: number,
  deadline: number,
): CancelledTicket {
  const approver = ownerOf(ticket);
  return { ...next(ticket, now, deadline), state: 'cancelled', because, ...(approver && { approver }) };
}

/** Returns the deadline of a live state. It is not later than the end that the request itself has. */
function liveUntil({ request }: Pick<Ticket, 'request'>, wanted: number): number {
  return Math.min(wanted, requestEnd(request) ?? wanted);
}

/**
 * Returns the time until which a final state is kept: for a sign-in, the time that a browser has to finish; for other
 * requests, until the end of the ticket, so that the result can be read and reported.
 */
function finalUntil({ request, endsAt }: Pick<Ticket, 'request' | 'endsAt'>, { now, lifetimes }: Moment): number {
  return isSignIn(request) ? now + lifetimes.finish : endsAt;
}

/** The fields that every state has. */
type CommonFields = Omit<WaitingTicket, 'state' | 'signingIn'>;

type FieldOf<T> = T extends unknown ? keyof T : never;

/** The names of the fields that belong to a state. */
type StateField = Exclude<FieldOf<Ticket>, keyof CommonFields>;

/**
 * Returns the ticket without the fields that belong to its state, with the next version and a new deadline. Fields that
 * a newer build has written are not known here and stay, so that they reach the next node that knows them. The compiler
 * reports a field of a state that is missing in this list.
 */
function next(
  ticket: CommonFields & { readonly [Field in StateField]?: unknown },
  since: number,
  deadline: number,
): CommonFields & { readonly [Field in StateField]?: never } {
  const {
    state,
    signingIn,
    approver,
    typed,
    match,
    checkCode,
    changesAccount,
    knownBy,
    remember,
    duration,
    enrolledKey,
    because,
    approvedAt,
    grantId,
    ...kept
  } = ticket;
  return { ...kept, version: ticket.version + 1, since, deadline: Math.min(deadline, ticket.endsAt) };
}

/** Sets the phone that scans. If it takes the ticket over from another phone, nothing of that phone stays. */
function withPhone<T extends Pick<Ticket, 'phone'>>(
  { phone: before, ...ticket }: T,
  phone: PhoneDevice | undefined,
): Omit<T, 'phone'> & Pick<Ticket, 'phone'> {
  return { ...ticket, ...(phone !== undefined && { phone }) };
}

/** Returns the format that a build must know to act on a ticket for this request. */
function formatOf({ action, backchannel }: SignInRequest): number {
  if (backchannel !== undefined) return BACKCHANNEL_FORMAT;
  return action === undefined ? WRITTEN_FORMAT : ACTION_FORMAT;
}

function hasEnded(ticket: Ticket, now: number): boolean {
  return !isLive(ticket, now);
}

function wrongState(ticket: Ticket, act: string): QrLoginError {
  return new QrLoginError('wrong_state', `This sign-in cannot be ${act}: it is ${ticket.state}.`);
}
