/** Serves the password page of oidc-provider's guides. QR sign-in is compared with it. */
import { scrypt as scryptWithCallback } from 'node:crypto';
import { promisify } from 'node:util';
import Router, { type RouterContext } from '@koa/router';
import parseBody from 'co-body';
import type { Middleware } from 'koa';
import type { Provider } from 'oidc-provider';

/** The hash of a password: none, which costs nothing, or scrypt with Node's defaults (N = 16384, r = 8, p = 1). */
export type Hash = 'none' | 'scrypt';

export const PASSWORD = 'wonderland';

const scrypt = promisify<string, string, number, Buffer>(scryptWithCallback);

export function passwordPage(provider: Provider, hash: Hash): Middleware {
  const show = async (ctx: RouterContext): Promise<void> => {
    await provider.interactionDetails(ctx.req, ctx.res);
    ctx.type = 'html';
    ctx.body = `<!doctype html><title>Sign in</title><form method="post" action="${ctx.path}">
<label>Name <input name="name"></label><label>Password <input name="password" type="password"></label><button>Sign in</button></form>`;
  };
  const signIn = async (ctx: RouterContext): Promise<void> => {
    const { name, password } = await parseBody.form(ctx, { limit: 4096 });
    if (hash === 'scrypt') await scrypt(String(password), 'a salt of its own', 32);
    if (password !== PASSWORD) return ctx.throw(401);
    const result = { login: { accountId: String(name), amr: ['pwd'] } };
    ctx.status = 303;
    ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: false }));
  };
  const router = new Router()
    .get('/interaction/:uid/password', show)
    .post('/interaction/:uid/password', signIn)
    .get('/password/:uid', show)
    .post('/password/:uid', signIn);
  return router.routes() as unknown as Middleware;
}
