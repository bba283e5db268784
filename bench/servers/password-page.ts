/** The password page of oidc-provider's guides, with a hash that costs nothing: what QR sign-in is compared with. */
import Router from '@koa/router';
import parseBody from 'co-body';
import type { Middleware } from 'koa';
import type { Provider } from 'oidc-provider';

const PASSWORD = 'wonderland';

export function passwordPage(provider: Provider): Middleware {
  const router = new Router()
    .get('/interaction/:uid/password', async (ctx) => {
      const { uid } = await provider.interactionDetails(ctx.req, ctx.res);
      ctx.type = 'html';
      ctx.body = `<!doctype html><title>Sign in</title><form method="post" action="/interaction/${uid}/password">
<label>Name <input name="name"></label><label>Password <input name="password" type="password"></label><button>Sign in</button></form>`;
    })
    .post('/interaction/:uid/password', async (ctx) => {
      const { name, password } = await parseBody.form(ctx, { limit: 4096 });
      if (password !== PASSWORD) return ctx.throw(401);
      const result = { login: { accountId: String(name), amr: ['pwd'] } };
      ctx.status = 303;
      ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: false }));
    });
  return router.routes() as unknown as Middleware;
}
