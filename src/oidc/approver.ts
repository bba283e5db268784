import type { Context } from 'koa';
import type { Client, Provider } from 'oidc-provider';
import { QrLoginError } from '../ticket/errors.ts';
import type { AppGrant, Approver, ApproverStanding, SessionApprover } from '../ticket/ticket.ts';
import { isApprovedOnPhone } from './approved-on-phone.ts';
import { toReadableText } from './request/readable-text.ts';
import { findClient } from './session-clients.ts';
import { readProviderCookie } from './signed-cookie.ts';

/** An account as users see it. */
export interface Account {
  /** The text that the phone shows for the account that will be used, such as a name or an email address. */
  readonly name: string;
}

/**
 * Returns the account with the name that the pages show, or undefined if the account may not sign in: it is deleted,
 * disabled or locked. It is called before each step of the phone and again before the browser is signed in.
 */
export type FindAccount = (accountId: string) => Promise<Account | undefined> | Account | undefined;

/** A session at the provider, as oidc-provider stores it. */
export type Session = Awaited<ReturnType<Provider['Session']['get']>>;

/** The user's authentication on the phone (OIDC Core, section 2). */
export interface Assurance {
  readonly acr?: string;
  readonly amr?: readonly string[];
}

/**
 * Returns the `acr` and `amr` of the browser's sign-in, given those of the phone's session. The deployment defines the
 * classes, and only the deployment knows their order. The function must not return a higher class than the phone's.
 */
export type Assure = (onPhone: Assurance, accountId: string) => Assurance | Promise<Assurance>;

/** Returns the current session of the request's sender, or undefined if there is none. */
export async function sessionOf(provider: Provider, ctx: Context): Promise<Session | undefined> {
  // Without a session cookie, oidc-provider would create a new session that is not needed.
  if (ctx.cookies.get(provider.cookieName('session'), { signed: false }) === undefined) return undefined;
  const id = readProviderCookie(provider, ctx, 'session');
  // If the cookie is not valid here, or the session is not found, oidc-provider decides what to do.
  return (id && (await provider.Session.find(id))) || provider.Session.get(ctx);
}

/**
 * Returns the approver: the account of the phone's session at the provider, never an account that the request names.
 * @param signInIdOf returns the id of the sign-in that belongs to a session
 */
export async function approverOf(
  session: Session | undefined,
  assure: Assure,
  signInIdOf: (sessionUid: string) => string | undefined,
): Promise<SessionApprover | undefined> {
  if (session?.accountId === undefined || session.loginTs === undefined) return undefined;
  const { accountId, uid, loginTs, acr, amr } = session;
  const onPhone = { ...(acr !== undefined && { acr }), ...(amr !== undefined && { amr }) };
  const signInId = signInIdOf(uid);
  return {
    ...(await describeAuthentication({ accountId, authenticatedAt: loginTs, onPhone }, assure)),
    sessionUid: uid,
    ...(signInId !== undefined && { signInId }),
  };
}

/** A user's authentication on the phone, before the deployment's `assurance` has judged it. */
export interface PhoneAuthentication {
  readonly accountId: string;
  /** The time of the authentication, in seconds since the epoch. */
  readonly authenticatedAt: number;
  readonly onPhone: Assurance;
}

/** Returns the fields of an approver that tell how it has authenticated. */
export async function describeAuthentication(
  { accountId, authenticatedAt, onPhone }: PhoneAuthentication,
  assure: Assure,
): Promise<Omit<SessionApprover, 'sessionUid' | 'signInId' | 'grant'>> {
  // Nothing else that the deployment returns may become a part of the approver.
  const reached = await assure(onPhone, accountId);
  return {
    accountId,
    authenticatedAt,
    ...(reached.acr !== undefined && { acr: reached.acr }),
    ...(reached.amr !== undefined && { amr: reached.amr }),
    ...(isApprovedOnPhone(onPhone.amr) && { byQr: true }),
  };
}

/**
 * Returns the approver's account as it is at this moment.
 * @throws QrLoginError `account_unavailable` if the account may not sign in
 */
export async function accountOf(
  findAccount: FindAccount,
  { accountId }: Pick<Approver, 'accountId'>,
): Promise<Account> {
  const account = await findAccount(accountId);
  if (account === undefined) {
    throw new QrLoginError('account_unavailable', 'This account cannot be used to sign in.');
  }
  return { ...account, name: shownName(account, accountId) };
}

/** Returns the name of an account as its user sees it: the account's id if it has no name that can be seen. */
export async function accountName(findAccount: FindAccount, accountId: string): Promise<string> {
  return shownName(await findAccount(accountId), accountId);
}

/**
 * Returns the name in a form that can be shown. Users may choose the names of their accounts, so it is a text from
 * outside.
 */
function shownName(account: Account | undefined, accountId: string): string {
  return toReadableText(account?.name ?? '') || toReadableText(accountId);
}

/**
 * Ensures that the session or the grant with which the approver approved still exists: a sign-out on the phone, or the
 * end of an app's access, revokes an approval that the browser has not used yet.
 * @throws QrLoginError `account_unavailable` if the session or the grant is gone
 */
export async function assertSignedIn(provider: Provider, approver: ApproverStanding): Promise<void> {
  const { accountId, sessionUid, grant } = approver;
  const stands =
    grant === undefined
      ? await hasSession(provider, accountId, sessionUid)
      : (await findGrantedClient(provider, accountId, grant)) !== undefined;
  if (stands) return;
  throw new QrLoginError('account_unavailable', 'The phone that approved is not signed in any more.', {
    reason: 'signed-out',
  });
}

async function hasSession(provider: Provider, accountId: string, sessionUid: string): Promise<boolean> {
  return (await provider.Session.findByUid(sessionUid))?.accountId === accountId;
}

/** Returns the client of an app; undefined if it is not registered any more, or has lost its access to the account. */
export async function findGrantedClient(
  provider: Provider,
  accountId: string,
  { clientId, grantId, boundTo }: Omit<AppGrant, 'keyId'>,
): Promise<Client | undefined> {
  const [grant, client, isSignedIn] = await Promise.all([
    provider.Grant.find(grantId),
    findClient(provider, clientId),
    boundTo === undefined || hasSession(provider, accountId, boundTo),
  ]);
  return grant?.accountId === accountId && grant.clientId === clientId && isSignedIn ? client : undefined;
}
