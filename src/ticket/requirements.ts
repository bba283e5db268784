import { QrLoginError } from './errors.ts';
import type { Approver, Authenticated, Ticket, UnmetRequirement } from './ticket.ts';

/**
 * The data that a requirement is checked against: from a ticket, or from a request that is answered without a ticket.
 */
export type RequirementContext = Pick<Ticket, 'request' | 'shownAt'>;

/** Returns the first requirement that the approver does not meet, or undefined if Approve may be offered. */
export function unmetBy(
  ticket: RequirementContext,
  approver: Authenticated,
  now: number,
): UnmetRequirement | undefined {
  if (!isExpected(ticket, approver)) return 'account';
  if (!isFreshEnough(ticket, approver, now)) return 'freshness';
  if (!isStrongEnough(ticket, approver)) return 'acr';
  return undefined;
}

/** Returns the error for an approver who does not meet a requirement. */
export function refusal(unmet: UnmetRequirement): QrLoginError {
  if (unmet === 'account')
    return new QrLoginError('wrong_account', 'This app asks for another account. Switch to it, or deny.');
  if (unmet === 'acr')
    return new QrLoginError('insufficient_acr', 'This app asks for a stronger sign-in on this device.');
  return new QrLoginError('sign_in_again', 'This app asks that you sign in again on this device before you approve.');
}

/** Checks `id_token_hint` (OIDC Core, section 3.1.2.1) and a `sub` claim with a value (section 5.5.1). */
function isExpected({ request }: RequirementContext, { subject }: Authenticated): boolean {
  const expected = request.requirements.subject;
  return expected === undefined || subject === expected;
}

/** Checks `prompt=login` and `max_age` (OIDC Core, section 3.1.2.1). */
function isFreshEnough(ticket: RequirementContext, approver: Authenticated, now: number): boolean {
  const { authenticatedSince, maxAge } = ticket.request.requirements;
  const { authenticatedAt } = approver;
  if (authenticatedSince !== undefined && authenticatedAt < authenticatedSince) return false;
  return maxAge === undefined || isDuringRequest(ticket, approver) || now / 1000 - authenticatedAt <= maxAge;
}

/** Checks an essential `acr` claim: it must be met, or the request fails (OIDC Core, section 5.5.1.1). */
function isStrongEnough({ request }: RequirementContext, { acr }: Authenticated): boolean {
  const { essentialAcr } = request.requirements;
  return essentialAcr === undefined || (acr !== undefined && essentialAcr.includes(acr));
}

/**
 * Returns true if the approver has authenticated since the code was shown. To ask for it again would change nothing.
 */
export function isDuringRequest({ shownAt }: RequirementContext, { authenticatedAt }: Authenticated): boolean {
  return authenticatedAt >= Math.floor(shownAt / 1000);
}

/**
 * Returns true if the wrong account has scanned the ticket and the newcomer is the right one, who may still claim it.
 */
export function canTakeOver(ticket: Ticket, newcomer: Approver): boolean {
  return ticket.state === 'scanned' && !isExpected(ticket, ticket.approver) && isExpected(ticket, newcomer);
}
