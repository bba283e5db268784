import type { Context } from 'koa';
import { QrLoginError } from '../../ticket/errors.ts';
import type { SessionApprover, SignInRequest, Ticket } from '../../ticket/ticket.ts';
import type { PhoneSignIn, SignIn } from '../hooks/hooks.ts';
import type { Cookies } from '../request/cookies.ts';
import type { PluginRequest } from '../request/plugin-request.ts';
import { seeOther, wantsJson } from '../request/responses.ts';

/**
 * Redirects a phone without a session to the page where it signs in and comes back.
 * @throws QrLoginError `not_signed_in` for a script, or if the deployment has no such page
 */
export async function sendToSignIn(request: PluginRequest, signIn: SignIn, wanted: PhoneSignIn): Promise<void> {
  const url = wantsJson(request) ? undefined : await signIn(request.ctx, wanted);
  if (url === undefined) throw notSignedIn();
  seeOther(request.ctx, url);
}

/**
 * Returns the approver, marked if it has authenticated for this ticket: the phone was sent to sign in for it, and the
 * sign-in is not older than the ticket. A phone that was signed in before it scanned is not marked here.
 */
export function markIfSentToSignIn(
  cookies: Pick<Cookies, 'ticketOfSignIn'>,
  ctx: Context,
  ticket: Ticket | undefined,
  approver: SessionApprover,
): SessionApprover {
  if (ticket === undefined || cookies.ticketOfSignIn(ctx) !== ticket.id) return approver;
  const isNew = approver.authenticatedAt >= Math.floor(ticket.shownAt / 1000);
  return isNew ? { ...approver, forTicket: true } : approver;
}

export function notSignedIn(): QrLoginError {
  return new QrLoginError('not_signed_in', 'Sign in on this phone first, then scan the code.');
}

/** Returns the authentication context classes that the request demands; if it demands none, those that it prefers. */
export function wantedClasses(request: SignInRequest | undefined): Pick<PhoneSignIn, 'acrValues'> {
  const { essentialAcr, acrValues } = request?.requirements ?? {};
  const classes = essentialAcr ?? acrValues;
  return classes === undefined ? {} : { acrValues: classes };
}
