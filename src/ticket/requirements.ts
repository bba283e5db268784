import { QrLoginError } from './errors.ts';
import {
  type Approver,
  type AuthenticatedUser,
  isListed,
  isOwner,
  isSignIn,
  ownerOf,
  type Requirements,
  type Ticket,
  type UnmetRequirement,
} from './ticket.ts';

/**
 * The data that a requirement is checked against: from a ticket, or from a request that is answered without a ticket.
 */
export type RequirementContext = Pick<Ticket, 'request'>;

/** Returns the first requirement that the approver does not meet, or undefined if Approve may be offered. */
export function unmetBy(
  ticket: RequirementContext,
  approver: AuthenticatedUser & Pick<Partial<Approver>, 'byQr'>,
  now: number,
): UnmetRequirement | undefined {
  if (!isExpected(ticket, approver)) return 'account';
  if (approver.byQr && !ticket.request.requirements.allowsQrApprover) return 'local';
  if (!isFreshEnough(ticket.request.requirements, approver, now)) return 'freshness';
  if (!isStrongEnough(ticket, approver)) return 'acr';
  return undefined;
}

/** Returns the error for an approver who does not meet a requirement. */
export function refusal(unmet: UnmetRequirement): QrLoginError {
  if (unmet === 'account')
    return new QrLoginError('wrong_account', 'This app asks for another account. Switch to it, or deny.');
  if (unmet === 'acr')
    return new QrLoginError('insufficient_acr', 'This app asks for a stronger sign-in on this device.');
  if (unmet === 'local')
    return new QrLoginError(
      'sign_in_again',
      'This device was signed in with a QR code. Sign in on it before you approve.',
    );
  if (unmet === 'enrolled')
    return new QrLoginError(
      'not_enrolled',
      'This account may be used only in browsers that it has enrolled, and that browser is none of them.',
    );
  return new QrLoginError('sign_in_again', 'This app asks that you sign in again on this device before you approve.');
}

/**
 * Returns false if the ticket is for an action, a request without a browser or a browser that has asked phones, and
 * names another account. Such a ticket is for the named account alone, so to any other account it must look like an
 * unknown ticket.
 */
export function isNamedAccount(ticket: RequirementContext, approver: AuthenticatedUser): boolean {
  const { request } = ticket;
  const { accountId = approver.accountId } = request.requirements;
  const isForAnyone = isSignIn(request) && request.asked === undefined;
  return isForAnyone || (accountId === approver.accountId && isExpected(ticket, approver));
}

/** Checks `id_token_hint` (OIDC Core, section 3.1.2.1) and a `sub` claim with a value (section 5.5.1). */
function isExpected({ request }: RequirementContext, { subject }: AuthenticatedUser): boolean {
  const expected = request.requirements.subject;
  return expected === undefined || subject === expected;
}

/**
 * Checks `prompt=login` and `max_age` (OIDC Core, section 3.1.2.1). `max_age=0` says the same as `prompt=login`. A user
 * who has authenticated for this ticket has done all that can be asked for, even if that took longer than `max_age`.
 *
 * @param now in milliseconds since the epoch
 */
export function isFreshEnough(
  { reauthenticate, maxAge }: Pick<Requirements, 'reauthenticate' | 'maxAge'>,
  { authenticatedAt, forTicket }: Pick<AuthenticatedUser, 'authenticatedAt' | 'forTicket'>,
  now: number,
): boolean {
  if (forTicket) return true;
  if (reauthenticate || maxAge === 0) return false;
  return maxAge === undefined || now / 1000 - authenticatedAt <= maxAge;
}

/** Checks an essential `acr` claim: it must be met, or the request fails (OIDC Core, section 5.5.1.1). */
function isStrongEnough({ request }: RequirementContext, { acr }: AuthenticatedUser): boolean {
  const { essentialAcr } = request.requirements;
  return essentialAcr === undefined || (acr !== undefined && essentialAcr.includes(acr));
}

/**
 * Returns the approver as it is now, marked if it has authenticated for this ticket. It has if its sign-in is not the
 * one with which it scanned the ticket. No clocks are compared, because those of two machines may differ. An app is the
 * exception: see {@link isAfterScan}.
 */
export function markIfForTicket(ticket: Ticket, approver: Approver): Approver {
  const scanner = ownerOf(ticket);
  if (scanner === undefined) return approver;
  const isForTicket = scanner.forTicket || (isOtherSignIn(scanner, approver) && isAfterScan(ticket, approver));
  return isForTicket ? { ...approver, forTicket: true } : approver;
}

function isOtherSignIn(before: Approver, now: Approver): boolean {
  if (before.authenticatedAt !== now.authenticatedAt) return true;
  if (before.grant !== undefined || now.grant !== undefined) return false;
  // A missing id proves nothing: a client can leave its cookie out.
  return before.signInId !== undefined && now.signInId !== undefined && before.signInId !== now.signInId;
}

/**
 * Returns true if the sign-in came after the scan, so that it was made for this ticket. A session has one sign-in at a
 * time, so another one is a later one. An app may hold tokens of several sign-ins: without this check, it could scan
 * with those of one and approve with those of another that is older than the scan.
 */
function isAfterScan({ since }: Ticket, { grant, authenticatedAt }: Approver): boolean {
  return grant === undefined || authenticatedAt >= Math.floor(since / 1000);
}

/**
 * Returns true if the newcomer may still claim a ticket that is scanned: the wrong account has scanned it and the
 * newcomer is the right one, or it is in the list of its account, so that each device of the account may decide.
 */
export function canTakeOver(ticket: Ticket, newcomer: Approver): boolean {
  if (ticket.state !== 'scanned' || !isExpected(ticket, newcomer)) return false;
  return isListed(ticket) ? !isOwner(ticket, newcomer) : !isExpected(ticket, ticket.approver);
}
