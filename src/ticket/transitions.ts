import { notFound, over, QrLoginError } from './errors.ts';
import { isHeldInVain, refusal, unmetBy } from './requirements.ts';
import {
  type ApprovedTicket,
  type Approver,
  type Browser,
  type CancelledTicket,
  type DeniedTicket,
  isLive,
  isOwner,
  ownerOf,
  type RedeemedTicket,
  type ScannedTicket,
  type SignInRequest,
  stateAt,
  type Ticket,
  type WaitingTicket,
} from './ticket.ts';

/** How long each state may last, in milliseconds. */
export interface Lifetimes {
  readonly scan: number;
  readonly decide: number;
  readonly finish: number;
}

/** When a step happens, in milliseconds since the epoch, and how long the state that it leads to may last. */
export interface Moment {
  readonly now: number;
  readonly lifetimes: Lifetimes;
}

/** A ticket is ended by this many wrong check codes (NIST SP 800-63B-4, section 3.1.3.2, leaves the number to us). */
export const WRONG_TRIES = 3;

export interface NewTicket {
  readonly id: string;
  readonly interaction: string;
  readonly request: SignInRequest;
  readonly browser: Browser;
  readonly endsAt: number;
}

/** The first state. A ticket that follows another one of the same interaction counts its versions on. */
export function show(fixed: NewTicket, previous: Ticket | undefined, { now, lifetimes }: Moment): WaitingTicket {
  if (now >= fixed.endsAt) throw over();
  return {
    ...fixed,
    state: 'waiting',
    // One number is left out for `expired`, which the browser sees as a version although nobody writes it.
    version: previous === undefined ? 1 : previous.version + 2,
    shownAt: now,
    since: now,
    deadline: Math.min(now + lifetimes.scan, fixed.endsAt),
  };
}

/**
 * Locks the ticket to the first approver. Whoever comes second cannot tell it from an unknown one, unless the first is
 * an account that the request cannot be approved with: then the right one takes over, in the time that is left.
 */
export function scan(ticket: Ticket, approver: Approver, { now, lifetimes }: Moment): ScannedTicket {
  if (isLive(ticket, now) && isHeldInVain(ticket, approver)) {
    return { ...next(ticket, now, ticket.deadline), state: 'scanned', approver };
  }
  if (ticket.state !== 'waiting') {
    assertOwner(ticket, approver);
    throw ended(ticket, now) ? over() : wrongState(ticket, 'scanned');
  }
  if (!isLive(ticket, now)) throw notFound();
  return { ...next(ticket, now, now + lifetimes.decide), state: 'scanned', approver };
}

/** The same for who has typed the short code. */
export function scanTyped(ticket: Ticket, approver: Approver, moment: Moment): ScannedTicket {
  return { ...scan(ticket, approver, moment), typed: true };
}

export interface Approval {
  /** As the phone's session is now, not as it was when it scanned. */
  readonly approver: Approver;
  /** Whether the browser must type the check code; it always must where the phone has typed the short code. */
  readonly checkCode: boolean;
  /** Whether the browser stays signed in when it is closed; not, if nobody says so. */
  readonly remember?: boolean;
}

export function approve(
  ticket: Ticket,
  { approver, checkCode, remember = false }: Approval,
  { now, lifetimes }: Moment,
): ApprovedTicket {
  const scanned = decidable(ticket, approver, now);
  const unmet = unmetBy(scanned, approver, now);
  if (unmet !== undefined) throw refusal(unmet);
  return {
    ...next(scanned, now, now + lifetimes.finish),
    state: 'approved',
    approver,
    remember,
    ...((checkCode || scanned.typed) && { checkCode: { wrongTries: 0 } }),
  };
}

export function deny(ticket: Ticket, approver: Approver, { now, lifetimes }: Moment): DeniedTicket {
  const scanned = decidable(ticket, approver, now);
  return {
    ...next(scanned, now, now + lifetimes.finish),
    state: 'denied',
    approver: scanned.approver,
    because: 'person',
  };
}

/**
 * The person did not start this: somebody else wants in. Who finds out after Approve may still say so, as long as nobody is
 * signed in. The ticket stays as it is for as long as its interaction, so that no other one takes its place.
 */
export function report(ticket: Ticket, approver: Approver, { now }: Moment): DeniedTicket {
  const mine = ticket.state === 'approved' ? ticket : decidable(ticket, approver, now);
  assertOwner(mine, approver);
  if (ended(mine, now)) throw over();
  return { ...next(mine, now, mine.endsAt), state: 'denied', approver: mine.approver, because: 'report' };
}

/** The same for the ticket that has taken the place of the one that the person reports, and that nobody has scanned yet. */
export function reportNext(ticket: WaitingTicket, approver: Approver, { now }: Moment): DeniedTicket {
  if (ended(ticket, now)) throw over();
  return { ...next(ticket, now, ticket.endsAt), state: 'denied', approver, because: 'report' };
}

/** What the deployment's assessment forbids, when the phone scans or when it approves. */
export function forbid(ticket: Ticket, approver: Approver, { now, lifetimes }: Moment): DeniedTicket {
  const scanned = decidable(ticket, approver, now);
  return { ...next(scanned, now, now + lifetimes.finish), state: 'denied', approver, because: 'risk' };
}

/** The phone cannot meet what the request demands, and says so: the RP hears which it was. */
export function giveUp(ticket: Ticket, approver: Approver, { now, lifetimes }: Moment): DeniedTicket {
  const scanned = decidable(ticket, approver, now);
  const because = unmetBy(scanned, approver, now);
  if (because === undefined) throw new QrLoginError('invalid_request', 'Nothing stands in the way: approve or deny.');
  return { ...next(scanned, now, now + lifetimes.finish), state: 'denied', approver: scanned.approver, because };
}

/** The step that signs the browser in; nothing follows it. */
export function redeem(ticket: Ticket, { now, lifetimes }: Moment): RedeemedTicket {
  const approved = finishable(ticket, now);
  const { approver, remember } = approved;
  return { ...next(approved, now, now + lifetimes.finish), state: 'redeemed', approver, remember };
}

/** Counts a wrong check code; the third one ends the ticket. */
export function refuseCheckCode(ticket: Ticket, moment: Moment): ApprovedTicket | CancelledTicket {
  const approved = finishable(ticket, moment.now);
  const wrongTries = (approved.checkCode?.wrongTries ?? 0) + 1;
  if (wrongTries >= WRONG_TRIES) return cancel(approved, 'check code', moment);
  const { approver, remember } = approved;
  return {
    ...next(approved, approved.since, approved.deadline),
    state: 'approved',
    approver,
    remember,
    checkCode: { wrongTries },
  };
}

export function cancel(
  ticket: Ticket,
  because: CancelledTicket['because'],
  { now, lifetimes }: Moment,
): CancelledTicket {
  if (ended(ticket, now)) throw over();
  return stopped(ticket, because, now, now + lifetimes.finish);
}

/** How a ticket ended that another one takes the place of; undefined where it had ended before by itself. */
export function replaced(ticket: Ticket, { now, lifetimes }: Moment): CancelledTicket | undefined {
  // One that has expired is told so as well: by another node's clock it may still have some time.
  const expired = stateAt(ticket, now) === 'expired';
  return expired || isLive(ticket, now) ? stopped(ticket, 'renewed', now, now + lifetimes.finish) : undefined;
}

/** A ticket is decided only by the account and the session that scanned it. */
export function assertOwner(ticket: Ticket, approver: Approver): void {
  if (!isOwner(ticket, approver)) throw notFound();
}

function decidable(ticket: Ticket, approver: Approver, now: number): ScannedTicket {
  assertOwner(ticket, approver);
  if (stateAt(ticket, now) === 'expired' || ticket.state === 'cancelled') throw over();
  if (ticket.state !== 'scanned') throw wrongState(ticket, 'decided');
  return ticket;
}

function finishable(ticket: Ticket, now: number): ApprovedTicket {
  if (ended(ticket, now)) throw over();
  if (ticket.state !== 'approved') throw wrongState(ticket, 'finished');
  return ticket;
}

function stopped(ticket: Ticket, because: CancelledTicket['because'], now: number, deadline: number): CancelledTicket {
  const approver = ownerOf(ticket);
  return { ...next(ticket, now, deadline), state: 'cancelled', because, ...(approver && { approver }) };
}

/** What stays the same, one version on. */
function next(ticket: Ticket, since: number, deadline: number): Omit<WaitingTicket, 'state'> {
  const { id, version, interaction, request, browser, shownAt, endsAt } = ticket;
  return {
    id,
    version: version + 1,
    interaction,
    request,
    browser,
    shownAt,
    endsAt,
    since,
    deadline: Math.min(deadline, endsAt),
  };
}

function ended(ticket: Ticket, now: number): boolean {
  return !isLive(ticket, now);
}

function wrongState(ticket: Ticket, act: string): QrLoginError {
  return new QrLoginError('wrong_state', `This sign-in cannot be ${act}: it is ${ticket.state}.`);
}
