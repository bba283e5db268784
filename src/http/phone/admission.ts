import { accountOf, type FindAccount } from '../../oidc/approver.ts';
import type { Provider } from '../../oidc/provider.ts';
import { subjectOf } from '../../oidc/request/requirements.ts';
import type { KnownTicket, PhoneActs } from '../../ticket/phone.ts';
import type { Approver, Ticket } from '../../ticket/ticket.ts';
import type { FailureContext } from '../request/plugin-request.ts';
import type { AccountAct, RateLimits } from '../request/rate-limits.ts';
import { notSignedIn } from './sign-in-redirect.ts';

/** A request of a page or of an app, with the approver that it acts for. */
export interface ApproverRequest<Kind extends Approver> {
  /** Undefined if the phone is not signed in. */
  readonly approver: Kind | undefined;
  readonly failure: FailureContext;
}

/** A request of an approver for one ticket, which was read together with the session or the grant. */
export interface TicketRequest<Kind extends Approver> extends ApproverRequest<Kind> {
  readonly ticket: Ticket | undefined;
}

/** The approver of an admitted request, and the name of its account. */
export interface AdmittedApprover<Kind extends Approver> {
  readonly approver: Kind;
  readonly account: string;
}

/**
 * An approver that may act on a ticket, and the ticket as it was read. The approver has the subject by which the
 * ticket's client knows the account.
 */
export interface AdmittedTicket<Kind extends Approver = Approver> extends AdmittedApprover<Kind> {
  readonly known: KnownTicket;
}

export interface AdmissionPorts {
  readonly limits: Pick<RateLimits, 'forAccount'>;
  readonly settings: { readonly findAccount: FindAccount };
}

export interface TicketAdmissionPorts extends AdmissionPorts {
  readonly provider: Provider;
  readonly ceremony: { readonly phone: Pick<PhoneActs, 'isReported'> };
}

/** The facts about an act on a ticket that its admission depends on. */
export interface TicketPurpose {
  readonly act: AccountAct;
  /** True if the act is refused to an account that has reported this browser before. Default: false. */
  readonly checksReport?: boolean;
  /** True if the same approver has done the act before, so that it does not count again. Default: false. */
  readonly isRepeated?: boolean;
}

/**
 * Ensures that the phone is signed in, and that its account exists and may do this now.
 * @param act the act to count for the account; undefined for an act that repeats a counted one
 * @throws QrLoginError `not_signed_in`, `account_unavailable`, `too_many_requests`
 */
export async function admit<Kind extends Approver>(
  { limits, settings }: AdmissionPorts,
  { approver, failure }: ApproverRequest<Kind>,
  act: AccountAct | undefined,
): Promise<AdmittedApprover<Kind>> {
  if (approver === undefined) throw notSignedIn();
  failure.accountId = approver.accountId;
  if (act !== undefined) await limits.forAccount(act, approver.accountId);
  const { name: account } = await accountOf(settings.findAccount, approver);
  return { approver, account };
}

/**
 * Does the same as {@link admit} for an act on the ticket of the URL.
 * @throws QrLoginError `not_signed_in`, `account_unavailable`, `too_many_requests`
 */
export async function admitToTicket<Kind extends Approver>(
  ports: TicketAdmissionPorts,
  request: TicketRequest<Kind>,
  { act, checksReport = false, isRepeated = false }: TicketPurpose,
): Promise<AdmittedTicket<Kind>> {
  const { ticket } = request;
  const isReported =
    checksReport && !isRepeated ? ports.ceremony.phone.isReported(ticket, request.approver) : undefined;
  // Mark the promise as handled: if the account is not admitted, this rejection must not become an unhandled one.
  isReported?.catch(() => undefined);
  const { approver, account } = await admit(ports, request, isRepeated ? undefined : act);
  return { approver: await withSubject(ports.provider, approver, ticket), account, known: { ticket, isReported } };
}

/** Returns the approver with the subject that the ticket's client knows it by, if the request demands a subject. */
export async function withSubject<Kind extends Approver>(
  provider: Provider,
  approver: Kind,
  ticket: Ticket | undefined,
): Promise<Kind> {
  if (ticket?.request.requirements.subject === undefined) return approver;
  const subject = await subjectOf(provider, ticket.request.client.id, approver.accountId);
  return { ...approver, ...(subject !== undefined && { subject }) };
}
