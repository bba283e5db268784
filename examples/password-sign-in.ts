/** The password page: for the first sign-in on a phone, and for users without a phone. */
import Router from '@koa/router';
import parseBody from 'co-body';
import type { Context, Middleware } from 'koa';
import { errors, type Provider } from 'oidc-provider';
import type { QrLogin } from '../src/index.ts';
import type { Accounts } from './accounts.ts';

/** The `acr` of sign-ins with a password. */
export const PASSWORD_ACR = 'urn:example:acr:password';

/** Serves the page below the interaction's URL, because the browser sends the interaction cookie only there. */
export function passwordSignIn(provider: Provider, accounts: Accounts, qr: QrLogin): Middleware {
  const show = async (ctx: Context, mistake = false): Promise<void> => {
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
    .post('/interaction/:uid/password', async (ctx) => {
      const { name, password } = await parseBody.form(ctx, { limit: 4096 });
      const person = await accounts.authenticate(String(name), String(password));
      if (person === undefined) {
        ctx.status = 401;
        return show(ctx, true);
      }
      const login = { accountId: person.id, acr: PASSWORD_ACR, amr: ['pwd'] };
      ctx.status = 303;
      ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, { login }, { mergeWithLastSubmission: false }));
    });
  return router.routes() as unknown as Middleware;
}
