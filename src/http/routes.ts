import Router, { type RouterContext, type RouterMiddleware } from '@koa/router';
import type { Middleware, Next } from 'koa';
import { BrowserHandlers } from './browser.ts';
import { ConsentHandlers } from './consent.ts';
import { answerErrors } from './errors.ts';
import { protect, readFields, sameOrigin } from './guards.ts';
import { PhoneHandlers } from './phone.ts';
import type { Services } from './services.ts';

/** Every URL of the plugin, below the provider's mount path. */
export function routes(services: Services): Middleware {
  const consent = new ConsentHandlers(services);
  const browser = new BrowserHandlers(services, consent);
  const phone = new PhoneHandlers(services);
  const errors = answerErrors(services.provider, services.views);
  const ours = sameOrigin(services.urls);

  const page: RouterMiddleware[] = [protect, errors];
  const form: RouterMiddleware[] = [protect, errors, ours, readFields];
  const data: RouterMiddleware[] = [forScripts, protect, errors];
  const act: RouterMiddleware[] = [forScripts, protect, errors, ours, readFields];

  const router = new Router()
    // The browser, below its interaction: oidc-provider scopes the interaction cookie to this path.
    .get('/interaction/:uid', ...page, browser.page)
    .get('/interaction/:uid/qr', ...data, browser.ticket)
    .get('/interaction/:uid/qr/events', ...data, browser.events)
    .post('/interaction/:uid/qr/renew', ...act, browser.renew)
    .post('/interaction/:uid/qr/finish', ...act, browser.finish)
    .post('/interaction/:uid/consent', ...act, consent.grant)
    .post('/interaction/:uid/cancel', ...act, browser.cancel)

    // The phone.
    .get('/qr/assets/:name', ...page, (ctx: RouterContext) => services.assets.serve(ctx, ctx.params.name ?? ''))
    .get('/qr/tickets/:id', ...page, phone.ticket)
    .post('/qr/tickets/:id', ...form, phone.decide)
    .get('/qr/:code', ...page, phone.landing)
    .post('/qr/:code', ...form, phone.scan);

  return router.routes() as unknown as Middleware;
}

async function forScripts(ctx: RouterContext, next: Next): Promise<void> {
  ctx.state.forScripts = true;
  await next();
}
