import type { Context } from 'koa';
import type { PhoneActs } from '../../ticket/phone.ts';
import type { SessionApprover, Ticket, UnmetRequirement } from '../../ticket/ticket.ts';
import type { SignIn } from '../hooks/hooks.ts';
import type { Cookies } from '../request/cookies.ts';
import type { Urls } from '../request/urls.ts';
import type { PhoneRequest } from './phone-request.ts';
import { wantedClasses } from './sign-in-redirect.ts';

export interface SignInOfferPorts {
  readonly ceremony: { readonly phone: Pick<PhoneActs, 'read'> };
  readonly urls: Urls;
  readonly cookies: Pick<Cookies, 'lastFreshCode' | 'noteOffer' | 'offer' | 'noteSentToSignIn'>;
  readonly settings: { readonly signIn: SignIn };
}

/** A requirement of a ticket's request, and the approver who does not meet it. */
export interface UnmetDemand {
  readonly unmet: UnmetRequirement;
  readonly ticket: Ticket;
  readonly approver: SessionApprover;
}

/**
 * Returns the page on which the phone can meet a requirement; undefined if no sign-in meets it, if the phone has just
 * come from there, or if the deployment has no such page.
 */
export async function offerSignIn(
  ports: SignInOfferPorts,
  request: PhoneRequest,
  { unmet, ticket, approver }: UnmetDemand,
): Promise<string | undefined> {
  const { ceremony, settings, urls, cookies } = ports;
  const { ctx } = request;
  const { loginHint } = ticket.request;
  const classes = wantedClasses(ticket.request);
  // The browser is not enrolled: no sign-in on the phone changes that.
  if (unmet === 'enrolled') return undefined;
  if (unmet === 'acr' && !mayOfferStrongerSignIn(cookies, ctx, ticket, approver)) return undefined;
  if (unmet === 'account') {
    // An approver with another account has another session, which must scan the code itself.
    cookies.noteSentToSignIn(ctx, ticket.id);
    const code = cookies.lastFreshCode(ctx);
    const isThisOne = code !== undefined && ceremony.phone.read(code).id === ticket.id;
    const returnTo = isThisOne ? urls.landing(code) : startPage(ticket, urls);
    return settings.signIn(ctx, { returnTo, fresh: true, ...classes, ...(loginHint !== undefined && { loginHint }) });
  }
  const returnTo = urls.ticket(ticket.id);
  return settings.signIn(ctx, { returnTo, fresh: true, accountId: approver.accountId, ...classes });
}

/**
 * Returns false if the phone has signed in since a stronger sign-in was offered to it for this ticket, because a
 * further sign-in would not help.
 */
function mayOfferStrongerSignIn(
  cookies: SignInOfferPorts['cookies'],
  ctx: Context,
  ticket: Ticket,
  { authenticatedAt, signInId = '' }: SessionApprover,
): boolean {
  const offer = cookies.offer(ctx);
  if (offer !== undefined) return authenticatedAt === offer.authenticatedAt && signInId === offer.signInId;
  cookies.noteOffer(ctx, ticket.id, { authenticatedAt, signInId });
  return true;
}

/**
 * Returns the page on which a user with another account begins. It has no code in its URL: a user who typed the short
 * code types it again.
 */
function startPage(ticket: Ticket, urls: Urls): string {
  return ticket.state === 'scanned' && ticket.typed ? urls.scan : urls.ticket(ticket.id);
}
