/** Servers that accept less than a bound token with a DPoP proof. They add the missing token and proof themselves. */
import { randomUUID } from 'node:crypto';
import { decodeJwt } from 'jose';
import type { Context, Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import { Nonces } from '../../../src/http/api/nonces.ts';
import { AppTokens } from '../../../src/oidc/apps/app-token.ts';
import { PHONE_APP } from '../../fixtures/phone-app.ts';
import { AppPerson } from '../../support/app.ts';
import { inFront, replacing, type Weakness } from '../attack.ts';
import { all } from '../weaknesses.ts';

const unboundTokens = replacing(AppTokens.prototype, 'assertBound', () => () => undefined);
const noNonces = replacing(Nonces.prototype, 'isValid', () => () => true);

/** Returns a middleware that gives a request a proof by a key of the server, if `tokenOf` finds a token in it. */
function proving(tokenOf: (ctx: Context) => Promise<string | undefined>): Middleware {
  let signer: AppPerson | undefined;
  return async (ctx, next) => {
    const token = ctx.path.startsWith('/qr/api/') ? await tokenOf(ctx) : undefined;
    if (token !== undefined) {
      signer ??= new AppPerson({ issuer: (ctx.app as Provider).issuer });
      await signer.makeKey();
      ctx.req.headers.authorization = `DPoP ${token}`;
      ctx.req.headers.dpop = await signer.prove(ctx.method, ctx.path, { token });
    }
    await next();
  };
}

export const acceptsBearer: Weakness = {
  defence: 'the demand for DPoP',
  options: inFront(proving(async (ctx) => /^Bearer (.+)$/.exec(ctx.get('authorization'))?.[1])),
  patch: all(unboundTokens, noNonces),
};

export const acceptsCookies: Weakness = {
  defence: 'the demand for a token',
  options: inFront(
    proving(async (ctx) => {
      const provider = ctx.app as Provider;
      const { accountId } = await provider.Session.get(ctx);
      return accountId === undefined || ctx.get('authorization') ? undefined : tokenFor(provider, accountId);
    }),
  ),
  patch: all(unboundTokens, noNonces),
};

async function tokenFor(provider: Provider, accountId: string): Promise<string> {
  const grant = new provider.Grant({ accountId, clientId: PHONE_APP });
  const grantId = await grant.save();
  const client = await provider.Client.find(PHONE_APP);
  if (client === undefined) throw new Error('there is no app');
  const token = new provider.AccessToken({ accountId, client, grantId, gty: 'cookie', scope: 'qr_login' });
  const adapter = provider.AccessToken.adapter;
  const id = randomUUID();
  const extra = { auth_time: Math.floor(Date.now() / 1000) };
  const iat = Math.floor(Date.now() / 1000);
  const payload = { ...token, extra, iat, exp: iat + 60, jti: id, kind: 'AccessToken', clientId: PHONE_APP };
  await adapter.upsert(id, payload, 60);
  return id;
}

export const checksTokensOnce: Weakness = {
  defence: 'a token that is looked up for each request',
  patch: () => {
    const found = new Map<string, ReturnType<AppTokens['find']>>();
    return replacing(
      AppTokens.prototype,
      'find',
      (find) =>
        function (this: AppTokens, token, keyId) {
          const access = found.get(token) ?? find.call(this, token, keyId);
          found.set(token, access);
          return access;
        },
    )();
  },
};

export const acceptsIdTokens: Weakness = {
  defence: 'tokens that the provider has stored',
  patch: replacing(AppTokens.prototype, 'find', () => async (token, keyId) => {
    const { sub = '', aud } = decodeJwt(token);
    return {
      app: { id: `${aud}`, name: '', origins: [], isNative: true, keys: [] },
      grant: { clientId: `${aud}`, grantId: 'none', keyId },
      authentication: { accountId: sub, authenticatedAt: Math.floor(Date.now() / 1000), onPhone: {} },
      endsAt: Date.now() + 60_000,
    };
  }),
};
