/** The demo RP: an ordinary client that knows nothing of QR codes. */
import { randomUUID } from 'node:crypto';
import Router from '@koa/router';
import Koa from 'koa';
import type { ClientMetadata } from 'oidc-provider';
import * as client from 'openid-client';
import { renderPage, serveStyle } from './pages.ts';

export interface RpOptions {
  readonly issuer: string;
  /** Where the RP itself is. */
  readonly url: string;
  readonly secret: string;
}

interface Visit {
  pending?: { verifier: string; state: string; nonce: string };
  idToken?: string;
  claims?: client.IDToken;
  userinfo?: client.UserInfoResponse;
}

export const RP_CLIENT = 'demo-rp';
const COOKIE = 'demo_rp';

export function rpClient({ url, secret }: Omit<RpOptions, 'issuer'>): ClientMetadata {
  return {
    client_id: RP_CLIENT,
    client_secret: secret,
    client_name: 'Demo app',
    redirect_uris: [`${url}/callback`],
    post_logout_redirect_uris: [`${url}/`],
  };
}

export function makeRp({ issuer, url, secret }: RpOptions): Koa {
  const visits = new Map<string, Visit>();
  let discovered: Promise<client.Configuration> | undefined;
  const configuration = (): Promise<client.Configuration> => {
    discovered ??= client.discovery(
      new URL(`${issuer}/.well-known/openid-configuration`),
      RP_CLIENT,
      secret,
      undefined,
      {
        execute: issuer.startsWith('http:') ? [client.allowInsecureRequests] : [],
      },
    );
    return discovered;
  };

  const visitOf = (ctx: Koa.Context): Visit => {
    const id = ctx.cookies.get(COOKIE) ?? randomUUID();
    const visit = visits.get(id) ?? {};
    visits.set(id, visit);
    ctx.cookies.set(COOKIE, id, { sameSite: 'lax', httpOnly: true });
    return visit;
  };

  const router = new Router()
    .get('/style.css', serveStyle)
    .get('/', (ctx) => {
      const { claims, userinfo } = visitOf(ctx);
      renderPage(ctx, 'rp', { claims, userinfo, error: undefined });
    })
    .get('/login', async (ctx) => {
      const visit = visitOf(ctx);
      const verifier = client.randomPKCECodeVerifier();
      visit.pending = { verifier, state: client.randomState(), nonce: client.randomNonce() };
      const target = client.buildAuthorizationUrl(await configuration(), {
        redirect_uri: `${url}/callback`,
        scope: 'openid profile email',
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state: visit.pending.state,
        nonce: visit.pending.nonce,
      });
      ctx.redirect(target.href);
    })
    .get('/callback', async (ctx) => {
      const visit = visitOf(ctx);
      const { pending } = visit;
      if (pending === undefined) return ctx.redirect('/');
      delete visit.pending;
      try {
        const tokens = await client.authorizationCodeGrant(await configuration(), new URL(ctx.url, url), {
          pkceCodeVerifier: pending.verifier,
          expectedState: pending.state,
          expectedNonce: pending.nonce,
        });
        const claims = tokens.claims();
        if (claims === undefined || tokens.id_token === undefined) throw new Error('the provider sent no ID token');
        visit.claims = claims;
        visit.idToken = tokens.id_token;
        visit.userinfo = await client.fetchUserInfo(await configuration(), tokens.access_token, claims.sub);
        return ctx.redirect('/');
      } catch (error) {
        if (!(error instanceof client.AuthorizationResponseError)) throw error;
        return renderPage(ctx, 'rp', { claims: undefined, userinfo: undefined, error });
      }
    })
    .get('/logout', async (ctx) => {
      const visit = visitOf(ctx);
      const { idToken } = visit;
      delete visit.claims;
      delete visit.userinfo;
      delete visit.idToken;
      if (idToken === undefined) return ctx.redirect('/');
      const parameters = { id_token_hint: idToken, post_logout_redirect_uri: `${url}/` };
      return ctx.redirect(client.buildEndSessionUrl(await configuration(), parameters).href);
    });

  const app = new Koa();
  app.use(router.routes());
  return app;
}
