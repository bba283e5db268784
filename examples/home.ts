/** The start page of the provider, at the issuer itself: says what the provider is, and has links to continue. */
import type { Context, Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import type { QrLogin } from '../src/index.ts';
import { ACCOUNT_CLIENT } from './account-page.ts';
import type { Accounts } from './accounts.ts';

export interface HomePorts {
  readonly provider: Provider;
  readonly accounts: Accounts;
  readonly qr: QrLogin;
  /** The address of the demo app; undefined if there is none. */
  readonly demoUrl: string | undefined;
}

/** Serves the start page. */
export function home({ provider, accounts, qr, demoUrl }: HomePorts): Middleware {
  const base = baseOf(provider.issuer);
  return async (ctx, next) => {
    if (ctx.path !== '/' || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return next();
    const { accountId } = await provider.Session.get(ctx);
    const person = accountId === undefined ? undefined : accounts.find(accountId);
    qr.render(ctx, 'home', { base, person, demoUrl });
  };
}

/** Asks whether to sign out: the option `features.rpInitiatedLogout.logoutSource`. */
export function askToSignOut(ctx: SignOutContext, qr: QrLogin, form: string): void {
  const { client, provider } = ctx.oidc;
  // No app has signed the user out, so a user who stays signed in goes back to the account page.
  const isHere = client === undefined || client.clientId === ACCOUNT_CLIENT;
  qr.render(ctx, 'sign-out', { base: baseOf(provider.issuer), form, isHere });
}

/** Says what happened: the option `features.rpInitiatedLogout.postLogoutSuccessSource`. */
export function showSignedOut(ctx: SignOutContext, qr: QrLogin): void {
  const { client, provider } = ctx.oidc;
  // oidc-provider names a client if the user has signed out of this client only.
  qr.render(ctx, 'signed-out', { base: baseOf(provider.issuer), stays: client !== undefined });
}

/** The part of oidc-provider's context that both pages need. */
type SignOutContext = Context & {
  readonly oidc: { readonly client?: { readonly clientId: string } | undefined; readonly provider: Provider };
};

/** Returns the path of the issuer without a slash at its end. */
function baseOf(issuer: string): string {
  return new URL(issuer).pathname.replace(/\/$/, '');
}
