import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { accountOf } from '../oidc/approver.ts';
import { subjectOf } from '../oidc/requirements.ts';
import { QrLoginError } from '../ticket/errors.ts';
import type { Approver, Ticket } from '../ticket/ticket.ts';
import type { AccountAct } from './limits.ts';
import type { Services } from './services.ts';

/** Who wants to do what on the phone. */
export interface Admission {
  /** Undefined where nobody is signed in. */
  readonly approver: Approver | undefined;
  readonly act: AccountAct;
}

/**
 * The approver, as far as the account may do this now.
 * @throws QrLoginError `not_signed_in`, `account_unavailable`, `too_many_requests`
 */
export async function admit(
  { limits, hooks }: Services,
  ctx: Context,
  { approver, act }: Admission,
): Promise<Approver> {
  if (approver === undefined) throw notSignedIn();
  ctx.state.accountId = approver.accountId;
  await limits.forAccount(act, approver.accountId);
  await accountOf(hooks.findAccount, approver);
  return approver;
}

/** The approver as the client knows that account, where the request demands somebody. */
export async function asSubject(provider: Provider, approver: Approver, ticket: Ticket | undefined): Promise<Approver> {
  if (ticket?.request.requirements.subject === undefined) return approver;
  const subject = await subjectOf(provider, ticket.request.client.id, approver.accountId);
  return { ...approver, ...(subject !== undefined && { subject }) };
}

export function notSignedIn(): QrLoginError {
  return new QrLoginError('not_signed_in', 'Sign in on this phone first, then scan the code.');
}
