import { QrLoginError } from './errors.ts';
import type { Approver, Authenticated, Ticket, Unmet } from './ticket.ts';

/** What an approver is held to: a ticket, or a request that is answered without one. */
export type Demand = Pick<Ticket, 'request' | 'shownAt'>;

/** The first requirement that the approver does not meet; undefined where Approve may be offered. */
export function unmetBy(ticket: Demand, approver: Authenticated, now: number): Unmet | undefined {
  if (!isExpected(ticket, approver)) return 'account';
  if (!isFreshEnough(ticket, approver, now)) return 'freshness';
  if (!isStrongEnough(ticket, approver)) return 'acr';
  return undefined;
}

/** What an approver hears who does not meet a requirement. */
export function refusal(unmet: Unmet): QrLoginError {
  if (unmet === 'account')
    return new QrLoginError('wrong_account', 'This app asks for another account. Switch to it, or deny.');
  if (unmet === 'acr')
    return new QrLoginError('insufficient_acr', 'This app asks for a stronger sign-in on this device.');
  return new QrLoginError('sign_in_again', 'This app asks that you sign in again on this device before you approve.');
}

/** OIDC Core, section 3.1.2.1 (`id_token_hint`) and 5.5.1 (a `sub` claim with a value). */
function isExpected({ request }: Demand, { subject }: Authenticated): boolean {
  const expected = request.requirements.subject;
  return expected === undefined || subject === expected;
}

/** OIDC Core, section 3.1.2.1 (`prompt=login`, `max_age`). */
function isFreshEnough(ticket: Demand, approver: Authenticated, now: number): boolean {
  const { authenticatedSince, maxAge } = ticket.request.requirements;
  const { authenticatedAt } = approver;
  if (authenticatedSince !== undefined && authenticatedAt < authenticatedSince) return false;
  return maxAge === undefined || isDuringRequest(ticket, approver) || now / 1000 - authenticatedAt <= maxAge;
}

/** OIDC Core, section 5.5.1.1: an essential `acr` must be met, or the request fails. */
function isStrongEnough({ request }: Demand, { acr }: Authenticated): boolean {
  const { essentialAcr } = request.requirements;
  return essentialAcr === undefined || (acr !== undefined && essentialAcr.includes(acr));
}

/** Whether the approver has authenticated since the code was shown: to ask for it again would change nothing. */
export function isDuringRequest({ shownAt }: Demand, { authenticatedAt }: Authenticated): boolean {
  return authenticatedAt >= Math.floor(shownAt / 1000);
}

/** Whether the ticket is the wrong account's, so that the right one may still claim it. */
export function isHeldInVain(ticket: Ticket, newcomer: Approver): boolean {
  return ticket.state === 'scanned' && !isExpected(ticket, ticket.approver) && isExpected(ticket, newcomer);
}
