/** The account page, where a phone signs in. To the provider it is one more client, a first-party one. */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { ClientMetadata, Provider } from 'oidc-provider';
import type { PhoneSignIn, QrLogin } from '../src/index.ts';
import type { Accounts } from './accounts.ts';
import { type PasskeyRecords, presenceOf } from './passkeys.ts';

export const ACCOUNT_CLIENT = 'account';

/**
 * Returns the account page as a client of the provider. It needs the provider's session and no token:
 * `response_type=none` (OAuth 2.0 Multiple Response Types, section 4).
 */
export function accountClient(issuer: string): ClientMetadata {
  return {
    client_id: ACCOUNT_CLIENT,
    client_name: 'Your account',
    redirect_uris: [`${issuer}/account/signed-in`],
    post_logout_redirect_uris: [`${issuer}/account`],
    response_types: ['none'],
    grant_types: [],
    token_endpoint_auth_method: 'none',
  };
}

/**
 * Returns the plugin's option `signIn`: it makes an ordinary authorization request, with the return address as `state`.
 */
export function accountSignIn(issuer: string, accounts: Accounts): (ctx: Context, wanted: PhoneSignIn) => string {
  return (_ctx, { returnTo, fresh, accountId, loginHint, acrValues }) => {
    const expected = accountId === undefined ? loginHint : accounts.find(accountId)?.userName;
    const query = new URLSearchParams({
      client_id: ACCOUNT_CLIENT,
      response_type: 'none',
      scope: 'openid',
      redirect_uri: `${issuer}/account/signed-in`,
      state: returnTo,
      ...(fresh && { prompt: 'login' }),
      ...(expected !== undefined && { login_hint: expected }),
      ...(acrValues && { acr_values: acrValues.join(' ') }),
    });
    return `${issuer}/auth?${query}`;
  };
}

export function accountPage(
  provider: Provider,
  accounts: Accounts,
  { base, passkeys, qr }: { base: string; passkeys: PasskeyRecords | undefined; qr: QrLogin },
): Middleware {
  const signIn = accountSignIn(provider.issuer, accounts);

  const router = new Router()
    .get('/account', async (ctx) => {
      const { accountId } = await provider.Session.get(ctx);
      const person = accountId === undefined ? undefined : accounts.find(accountId);
      if (person === undefined) return ctx.redirect(signIn(ctx, { returnTo: `${base}/account`, fresh: false }));
      const isPresent = (await presenceOf(provider, ctx)) !== undefined;
      const signInAgain = isPresent
        ? undefined
        : signIn(ctx, { returnTo: `${base}/account`, fresh: true, accountId: person.id });
      const signOut = `${base}/session/end?client_id=${ACCOUNT_CLIENT}`;
      const keys = (await passkeys?.ofAccount(person.id))?.map(({ id, addedAt }) => ({
        id,
        addedAgo: addedAt === undefined ? undefined : Math.max(0, Math.floor((Date.now() - addedAt) / 1000)),
      }));
      return qr.render(ctx, 'account', { base, person, signOut, passkeys: keys, signInAgain });
    })
    .get('/account/signed-in', (ctx) => {
      const { state, error_description: problem } = ctx.query;
      if (problem !== undefined) return qr.render(ctx, 'problem', { problem: String(problem) });
      // Redirect to a scanned code or the account page only: `state` may have been forged (open redirect).
      const target = String(state);
      return ctx.redirect(target.startsWith(`${base}/qr/`) ? target : `${base}/account`);
    });
  return router.routes() as unknown as Middleware;
}
