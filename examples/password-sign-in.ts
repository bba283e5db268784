/** The password page: for the first sign-in on a phone, and for users without a phone. */
import Router from '@koa/router';
import parseBody from 'co-body';
import type { Context, Middleware } from 'koa';
import { errors, type Provider } from 'oidc-provider';
import type { QrLogin } from '../src/index.ts';
import type { Accounts } from './accounts.ts';
import { fromOwnPage } from './own-page.ts';
import type { PasswordLimits } from './password-limits.ts';

/** The `acr` of sign-ins with a password. */
export const PASSWORD_ACR = 'urn:example:acr:password';

export interface PasswordPorts {
  readonly provider: Provider;
  readonly accounts: Accounts;
  readonly qr: QrLogin;
  /** Undefined if tries are not limited. */
  readonly limits: PasswordLimits | undefined;
}

/** Serves the page below the interaction's URL, because the browser sends the interaction cookie only there. */
export function passwordSignIn({ provider, accounts, qr, limits }: PasswordPorts): Middleware {
  const show = async (ctx: Context, mistake?: string): Promise<void> => {
    const { params } = await provider.interactionDetails(ctx.req, ctx.res);
    const locales = String(params.ui_locales ?? '').split(' ');
    qr.render(ctx, 'password', { mistake, loginHint: params.login_hint ?? '', locales });
  };

  const router = new Router()
    .use(async (ctx, next) => {
      try {
        await next();
      } catch (error) {
        if (!(error instanceof errors.SessionNotFound)) throw error;
        ctx.status = 404;
        qr.render(ctx, 'problem', { text: 'password.over' });
      }
    })
    .get('/interaction/:uid/password', (ctx) => show(ctx))
    .post('/interaction/:uid/password', fromOwnPage(provider), async (ctx) => {
      const fields = await parseBody.form(ctx, { limit: 4096 });
      const [name, password] = [String(fields.name), String(fields.password)];
      const waitSeconds = await limits?.begin(ctx.ip, name);
      if (waitSeconds !== undefined) {
        ctx.status = 429;
        ctx.set('Retry-After', `${waitSeconds}`);
        return show(ctx, 'password.limited');
      }
      const person = await accounts.authenticate(name, password);
      if (person === undefined) {
        ctx.status = 401;
        return show(ctx, 'password.wrong');
      }
      await limits?.succeed(ctx.ip, name);
      const login = { accountId: person.id, acr: PASSWORD_ACR, amr: ['pwd'] };
      const next = await provider.interactionResult(ctx.req, ctx.res, { login }, { mergeWithLastSubmission: false });
      ctx.status = 303;
      ctx.redirect(atIssuer(provider, next));
    });
  return router.routes() as unknown as Middleware;
}

/**
 * Returns the address on the issuer's origin. oidc-provider takes the origin from the `Host` of the request that began
 * the interaction, which may have been forged.
 */
function atIssuer({ issuer }: Provider, address: string): string {
  const { pathname, search } = new URL(address);
  return new URL(pathname + search, issuer).href;
}
