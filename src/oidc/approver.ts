import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { QrLoginError } from '../ticket/errors.ts';
import type { Approver } from '../ticket/ticket.ts';
import { isApprovedOnPhone } from './approved-on-phone.ts';
import { toReadableText } from './readable-text.ts';
import { readProviderCookie } from './signed-cookie.ts';

/** An account as users see it. */
export interface Account {
  /** The text that the phone shows for the account that will be used, such as a name or an email address. */
  readonly name: string;
}

/**
 * Returns the account with the name that is shown, on the phone only, or undefined if the account may not sign in:
 * deleted, disabled, locked. It is called before each step of the phone and again before the browser is signed in.
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
 * Returns the `acr` and `amr` of the browser's sign-in, given those of the phone's session. The classes are defined by
 * the deployment: only it knows their order, and it must not return a higher class than the phone's.
 */
export type Assure = (onPhone: Assurance, accountId: string) => Assurance | Promise<Assurance>;

/** Returns the current session of the request's sender, or undefined if there is none. */
export async function sessionOf(provider: Provider, ctx: Context): Promise<Session | undefined> {
  // Without a session cookie, oidc-provider would create a new session that is not needed.
  if (ctx.cookies.get(provider.cookieName('session'), { signed: false }) === undefined) return undefined;
  const id = readProviderCookie(provider, ctx, 'session');
  // If the cookie is not valid here or the session is not found, oidc-provider decides.
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
): Promise<Approver | undefined> {
  if (session?.accountId === undefined || session.loginTs === undefined) return undefined;
  const { accountId, uid, loginTs, acr, amr } = session;
  const onPhone = { ...(acr !== undefined && { acr }), ...(amr !== undefined && { amr }) };
  const signInId = signInIdOf(uid);
  // Nothing else that the deployment returns may become a part of the approver.
  const reached = await assure(onPhone, accountId);
  return {
    accountId,
    sessionUid: uid,
    authenticatedAt: loginTs,
    ...(reached.acr !== undefined && { acr: reached.acr }),
    ...(reached.amr !== undefined && { amr: reached.amr }),
    ...(signInId !== undefined && { signInId }),
    ...(isApprovedOnPhone(amr) && { byQr: true }),
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

/** Users may choose the names of their accounts, so these are texts from outside. */
function shownName(account: Account | undefined, accountId: string): string {
  return toReadableText(account?.name ?? '') || toReadableText(accountId);
}

/**
 * Ensures that the session that approved still exists: a sign-out on the phone revokes an approval that is not
 * finished.
 * @throws QrLoginError `account_unavailable` if it does not
 */
export async function assertSignedIn(
  provider: Provider,
  { accountId, sessionUid }: Pick<Approver, 'accountId' | 'sessionUid'>,
): Promise<void> {
  const session = await provider.Session.findByUid(sessionUid);
  if (session?.accountId === accountId) return;
  throw new QrLoginError('account_unavailable', 'The phone that approved is not signed in any more.', {
    reason: 'signed-out',
  });
}
