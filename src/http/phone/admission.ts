import type { Context } from 'koa';
import { accountOf } from '../../oidc/approver.ts';
import type { Provider } from '../../oidc/provider.ts';
import { subjectOf } from '../../oidc/requirements.ts';
import type { Approver, Ticket } from '../../ticket/ticket.ts';
import type { AccountAct } from '../request/rate-limits.ts';
import type { Services } from '../services.ts';
import { notSignedIn } from './sign-in-redirect.ts';

/** Who wants to do what on the phone. */
export interface Admission {
  /** Undefined where nobody is signed in. */
  readonly approver: Approver | undefined;
  readonly act: AccountAct;
}

/** Who may do it, and what the account is called. */
export interface Admitted {
  readonly approver: Approver;
  readonly account: string;
}

/**
 * The approver, as far as the account may do this now.
 * @throws QrLoginError `not_signed_in`, `account_unavailable`, `too_many_requests`
 */
export async function admit(
  { limits, hooks }: Services,
  ctx: Context,
  { approver, act }: Admission,
): Promise<Admitted> {
  if (approver === undefined) throw notSignedIn();
  ctx.state.accountId = approver.accountId;
  await limits.forAccount(act, approver.accountId);
  const { name: account } = await accountOf(hooks.findAccount, approver);
  return { approver, account };
}

/** The approver as the client knows that account, where the request demands somebody. */
export async function asSubject(provider: Provider, approver: Approver, ticket: Ticket | undefined): Promise<Approver> {
  if (ticket?.request.requirements.subject === undefined) return approver;
  const subject = await subjectOf(provider, ticket.request.client.id, approver.accountId);
  return { ...approver, ...(subject !== undefined && { subject }) };
}
