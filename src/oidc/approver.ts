import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { QrLoginError } from '../ticket/errors.ts';
import type { Approver } from '../ticket/ticket.ts';
import { providersCookie } from './signed-cookie.ts';

/** An account as people see it. */
export interface Account {
  /** What the phone shows as the account that will be used: a name, a mail address. */
  readonly name: string;
}

/**
 * Tells what an account is called, on the phone only.
 * Undefined for an account that may not sign in: deleted, disabled, locked. It is asked before each step of the phone and
 * again before the browser is signed in.
 */
export type FindAccount = (accountId: string) => Promise<Account | undefined> | Account | undefined;

/** A session at the provider, as it keeps it. */
export type Session = Awaited<ReturnType<Provider['Session']['get']>>;

/** How the person authenticated on the phone (OIDC Core, section 2). */
export interface Assurance {
  readonly acr?: string;
  readonly amr?: readonly string[];
}

/**
 * What a sign-in on a phone is worth when it signs in another browser, given what it was worth on the phone itself.
 * The classes are the deployment's own: only it knows which is above which, and that none may rise.
 */
export type Assure = (onPhone: Assurance, accountId: string) => Assurance | Promise<Assurance>;

/** The session of whoever sends this, as it is now; undefined where there is none. */
export async function sessionOf(provider: Provider, ctx: Context): Promise<Session | undefined> {
  // Without its cookie, oidc-provider would make up a new session, with ids that nobody needs.
  if (ctx.cookies.get(provider.cookieName('session'), { signed: false }) === undefined) return undefined;
  const id = providersCookie(provider, ctx, 'session');
  // What is not good at first sight is for oidc-provider to judge.
  return (id && (await provider.Session.find(id))) || provider.Session.get(ctx);
}

/** Who decides: the account of the phone's session at the provider, and nothing that a request could claim. */
export async function approverOf(session: Session | undefined, assure: Assure): Promise<Approver | undefined> {
  if (session?.accountId === undefined || session.loginTs === undefined) return undefined;
  const { accountId, uid, loginTs, acr, amr } = session;
  const onPhone = { ...(acr !== undefined && { acr }), ...(amr !== undefined && { amr }) };
  return { accountId, sessionUid: uid, authenticatedAt: loginTs, ...(await assure(onPhone, accountId)) };
}

/** The account behind an approver, as it is at this moment. */
export async function accountOf(
  findAccount: FindAccount,
  { accountId }: Pick<Approver, 'accountId'>,
): Promise<Account> {
  const account = await findAccount(accountId);
  if (account === undefined) {
    throw new QrLoginError('account_unavailable', 'This account cannot be used to sign in.');
  }
  if (typeof account.name !== 'string') throw new TypeError('findAccount must give { name }, or undefined');
  return account;
}

/** The session that has approved must be there yet: who signs out on the phone takes back what was not finished. */
export async function assertSignedIn(provider: Provider, { accountId, sessionUid }: Approver): Promise<void> {
  const session = await provider.Session.findByUid(sessionUid);
  if (session?.accountId === accountId) return;
  throw new QrLoginError('account_unavailable', 'The phone that approved is not signed in any more.');
}
