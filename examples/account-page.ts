/** Serves the account page, where a phone signs in. To the provider, the page is an ordinary first-party client. */
import { randomBytes } from 'node:crypto';
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { ClientMetadata, Provider } from 'oidc-provider';
import type { PhoneSignIn, QrLogin } from '../src/index.ts';
import type { Accounts } from './accounts.ts';
import { type PasskeyRecords, presenceOf } from './passkeys.ts';

export const ACCOUNT_CLIENT = 'account';

/**
 * The cookie's value is at the beginning of each `state`, so that only this browser can bring back an answer (RFC 6749,
 * section 10.12).
 */
const COOKIE = 'account_state';

/**
 * Returns the account page as a client of the provider. It needs the provider's session and no token:
 * `response_type=none` (OAuth 2.0 Multiple Response Types, section 4).
 */
export function accountClient(issuer: string): ClientMetadata {
  return {
    client_id: ACCOUNT_CLIENT,
    client_name: 'Your account',
    redirect_uris: [`${issuer}/account/signed-in`],
    response_types: ['none'],
    grant_types: [],
    token_endpoint_auth_method: 'none',
  };
}

/**
 * Returns the plugin's option `signIn`: it makes an ordinary authorization request. Its `state` has the return address,
 * after the secret of this browser.
 */
export function accountSignIn(issuer: string, accounts: Accounts): (ctx: Context, wanted: PhoneSignIn) => string {
  return (ctx, { returnTo, fresh, accountId, loginHint, acrValues }) => {
    const expected = accountId === undefined ? loginHint : accounts.find(accountId)?.userName;
    return accountRequest(ctx, issuer, returnTo, {
      ...(fresh && { prompt: 'login' }),
      ...(expected !== undefined && { login_hint: expected }),
      ...(acrValues && { acr_values: acrValues.join(' ') }),
    });
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
      // A browser that is signed in by QR can get a passkey too, if the phone approves it.
      const byPhone = accountRequest(ctx, provider.issuer, `${base}/account`, { prompt: 'browser_passkey' });
      return qr.render(ctx, 'account', { base, person, signOut, passkeys: keys, signInAgain, byPhone });
    })
    .get('/account/signed-in', (ctx) => {
      const { state, error } = ctx.query;
      const secret = ctx.cookies.get(COOKIE);
      const isOurs = secret !== undefined && String(state).startsWith(`${secret}.`);
      // This browser has not asked for this answer: another site may have made the link, and the error in it.
      if (!isOurs) return ctx.redirect(`${base}/account`);
      if (error !== undefined) return qr.render(ctx, 'problem', { base, text: 'account.not-signed-in' });
      const target = String(state).slice(secret.length + 1);
      return ctx.redirect(target.startsWith(`${base}/qr/`) ? target : `${base}/account`);
    });
  return router.routes() as unknown as Middleware;
}

/** Returns an authorization request of the account page, which leads back to `returnTo`. */
function accountRequest(ctx: Context, issuer: string, returnTo: string, more: Record<string, string>): string {
  const query = new URLSearchParams({
    client_id: ACCOUNT_CLIENT,
    response_type: 'none',
    scope: 'openid',
    redirect_uri: `${issuer}/account/signed-in`,
    state: `${secretOf(ctx, issuer)}.${returnTo}`,
    ...more,
  });
  return `${issuer}/auth?${query}`;
}

/** Returns the secret of this browser, and gives it one if it has none. */
function secretOf(ctx: Context, issuer: string): string {
  // A page may have several of these links, but the answer sets one cookie.
  const known: string | undefined = ctx.cookies.get(COOKIE) || ctx.state[COOKIE];
  if (known) return known;
  const secret = randomBytes(16).toString('base64url');
  ctx.state[COOKIE] = secret;
  const { pathname, protocol } = new URL(issuer);
  const secure = protocol === 'https:';
  // Behind a proxy, the connection that arrives here may be http.
  if (secure) ctx.cookies.secure = true;
  ctx.cookies.set(COOKIE, secret, { path: pathname, secure, httpOnly: true, sameSite: 'lax' });
  return secret;
}
