/** The demo RP: an ordinary OIDC client without code for QR sign-in. Its payments are approved on the phone. */
import { randomUUID } from 'node:crypto';
import Router from '@koa/router';
import parseBody from 'co-body';
import { Keyv } from 'keyv';
import Koa from 'koa';
import type { ClientMetadata } from 'oidc-provider';
import * as client from 'openid-client';
import { findEndedSession } from './logout-token.ts';
import { renderPage, serveStyle } from './rp/pages.ts';
import { PAYMENT_SCOPE, type Payment, Payments } from './rp/payments.ts';

export interface RpOptions {
  readonly issuer: string;
  /** The base URL of the RP. */
  readonly url: string;
  readonly secret: string;
  /** The name on its page; "Demo app" by default. */
  readonly name?: string;
  /** Sends the requests to the provider; the global `fetch` by default. */
  readonly fetch?: typeof fetch;
}

/** A sign-in that has begun. Each has a cookie of its own, so that several tabs can sign in side by side. */
interface Pending {
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
}

interface Visit {
  readonly idToken?: string;
  readonly claims?: client.IDToken;
  readonly userinfo?: client.UserInfoResponse;
  /** The payment that was asked for last. */
  readonly payment?: Payment;
}

const RP_CLIENT = 'demo-rp';
const NAME = 'Demo app';
const COOKIE = 'demo_rp';
/** The time that a sign-in may take, in milliseconds. */
const PENDING_MS = 3_600_000;

/**
 * Returns the name of the cookie of a sign-in. The provider returns `state` with its answer, so the RP finds the
 * cookie.
 */
function pendingCookie(state: unknown): string {
  return `${COOKIE}_${String(state)
    .replace(/[^\w-]/g, '')
    .slice(0, 43)}`;
}

const PENDING_COOKIE = { path: '/callback', sameSite: 'lax', httpOnly: true } as const;

export function rpClient({ url, secret }: Pick<RpOptions, 'url' | 'secret'>): ClientMetadata {
  return {
    client_id: RP_CLIENT,
    client_secret: secret,
    client_name: NAME,
    // With the grant `client_credentials` the RP gets a token to ask for approvals.
    grant_types: ['authorization_code', 'client_credentials'],
    scope: `openid profile email ${PAYMENT_SCOPE}`,
    redirect_uris: [`${url}/callback`],
    post_logout_redirect_uris: [`${url}/signed-out`],
    backchannel_logout_uri: `${url}/backchannel-logout`,
    backchannel_logout_session_required: true,
  };
}

export function makeRp({ issuer, url, secret, name = NAME, fetch: send }: RpOptions): Koa {
  // The visits are in the memory of this process. A visit expires one hour after its last step.
  const visits = new Keyv<Visit>({ ttl: 3_600_000 });
  /** The sign-ins that have begun, by the values of their cookies. */
  const begun = new Keyv<Pending>({ ttl: PENDING_MS });
  /** The ids of visits by the `sid` of their session at the provider. */
  const visitsBySid = new Keyv<string>({ ttl: 3_600_000 });
  const payments = new Payments({ audience: RP_CLIENT, returnTo: `${url}/paid`, send });
  let discovered: Promise<client.Configuration> | undefined;
  const configuration = (): Promise<client.Configuration> => {
    discovered ??= client.discovery(
      new URL(`${issuer}/.well-known/openid-configuration`),
      RP_CLIENT,
      secret,
      undefined,
      {
        execute: issuer.startsWith('http:') ? [client.allowInsecureRequests] : [],
        ...(send && { [client.customFetch]: send as client.CustomFetch }),
      },
    );
    return discovered;
  };

  const visitOf = async (ctx: Koa.Context): Promise<Visit> => (await visits.get(ctx.cookies.get(COOKIE) ?? '')) ?? {};

  /**
   * Stores the visit under a new id each time, so that an id from before the sign-in is worthless (session fixation).
   */
  const keep = async (ctx: Koa.Context, visit: Visit): Promise<void> => {
    await visits.delete(ctx.cookies.get(COOKIE) ?? '');
    const id = randomUUID();
    await visits.set(id, visit);
    if (visit.claims?.sid !== undefined) await visitsBySid.set(String(visit.claims.sid), id);
    ctx.cookies.set(COOKIE, id, { sameSite: 'lax', httpOnly: true });
  };

  const router = new Router()
    .get('/style.css', serveStyle)
    .get('/', async (ctx) => {
      const { claims, userinfo } = await visitOf(ctx);
      renderPage(ctx, { name, claims, userinfo });
    })
    .post('/pay', async (ctx) => {
      const visit = await visitOf(ctx);
      if (visit.claims === undefined) return ctx.redirect('/');
      const { payment, approveAt } = await payments.ask(await configuration(), visit.claims.sub);
      await keep(ctx, { ...visit, payment });
      ctx.status = 303;
      return ctx.redirect(approveAt);
    })
    .get('/paid', async (ctx) => {
      const { payment, ...visit } = await visitOf(ctx);
      // The user has reloaded the page. A payment counts once.
      if (payment === undefined) return ctx.redirect('/');
      await keep(ctx, visit);
      const { claims, userinfo } = visit;
      const outcome = await payments.settle(await configuration(), payment);
      return renderPage(ctx, { name, claims, userinfo, outcome, order: payment.order });
    })
    .get('/signed-out', async (ctx) => {
      const { claims } = await visitOf(ctx);
      // The user has signed in again in another tab.
      if (claims !== undefined) return ctx.redirect('/');
      return renderPage(ctx, { name, isSignedOut: true });
    })
    .get('/login', async (ctx) => {
      const verifier = client.randomPKCECodeVerifier();
      const pending = { verifier, state: client.randomState(), nonce: client.randomNonce() };
      const target = client.buildAuthorizationUrl(await configuration(), {
        redirect_uri: `${url}/callback`,
        scope: 'openid profile email',
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state: pending.state,
        nonce: pending.nonce,
      });
      const id = randomUUID();
      await begun.set(id, pending);
      ctx.cookies.set(pendingCookie(pending.state), id, { ...PENDING_COOKIE, maxAge: PENDING_MS });
      ctx.redirect(target.href);
    })
    .get('/callback', async (ctx) => {
      const cookie = pendingCookie(ctx.query.state);
      const id = ctx.cookies.get(cookie) ?? '';
      const pending = await begun.get(id);
      // This browser did not ask for this answer, or the answer has come twice.
      if (pending === undefined) return ctx.redirect('/');
      await begun.delete(id);
      ctx.cookies.set(cookie, null, PENDING_COOKIE);
      try {
        await keep(ctx, await redeemCode(await configuration(), new URL(ctx.url, url), pending));
        return ctx.redirect('/');
      } catch (error) {
        // These are shown to the user: an error of the provider, or a response that does not belong to the sign-in of
        // this visit.
        const { AuthorizationResponseError, ClientError, ResponseBodyError } = client;
        const kinds = [AuthorizationResponseError, ClientError, ResponseBodyError];
        if (!kinds.some((kind) => error instanceof kind)) throw error;
        if (!(error instanceof AuthorizationResponseError)) ctx.status = 400;
        return renderPage(ctx, { name, error });
      }
    })
    .post('/backchannel-logout', async (ctx) => {
      ctx.set('Cache-Control', 'no-store');
      const { logout_token: token } = await parseBody.form(ctx, { limit: 4096 });
      const sid = await findEndedSession((await configuration()).serverMetadata(), RP_CLIENT, String(token), send);
      ctx.status = sid === undefined ? 400 : 200;
      ctx.body = sid === undefined ? { error: 'invalid_request' } : '';
      if (sid !== undefined) await visits.delete((await visitsBySid.get(sid)) ?? '');
    })
    .get('/logout', async (ctx) => {
      const { idToken } = await visitOf(ctx);
      await keep(ctx, {});
      if (idToken === undefined) return ctx.redirect('/');
      const parameters = { id_token_hint: idToken, post_logout_redirect_uri: `${url}/signed-out` };
      return ctx.redirect(client.buildEndSessionUrl(await configuration(), parameters).href);
    });

  const app = new Koa();
  app.use(router.routes());
  return app;
}

/** Redeems the code, checks the ID token, and requests the userinfo. */
async function redeemCode(configuration: client.Configuration, callback: URL, pending: Pending): Promise<Visit> {
  const tokens = await client.authorizationCodeGrant(configuration, callback, {
    pkceCodeVerifier: pending.verifier,
    expectedState: pending.state,
    expectedNonce: pending.nonce,
  });
  const claims = tokens.claims();
  if (claims === undefined || tokens.id_token === undefined) throw new Error('the provider sent no ID token');
  const userinfo = await client.fetchUserInfo(configuration, tokens.access_token, claims.sub);
  return { claims, userinfo, idToken: tokens.id_token };
}
