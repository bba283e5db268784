import Router, { type RouterContext, type RouterMiddleware } from '@koa/router';
import type { Middleware, Next } from 'koa';
import { BrowserHandlers } from './browser.ts';
import { ConsentHandlers } from './consent.ts';
import { answerErrors } from './errors.ts';
import { FinishHandlers } from './finish.ts';
import { notEmbedded, protect, readFields, sameOrigin } from './guards.ts';
import type { AddressAct } from './limits.ts';
import { PasskeyHandlers } from './passkey.ts';
import { PhoneHandlers } from './phone.ts';
import { ScanHandlers } from './scan.ts';
import type { Services } from './services.ts';
import { SignedInBrowserHandlers } from './signed-in-browsers.ts';

/** Every URL of the plugin, below the provider's mount path. */
export function routes(services: Services): Middleware {
  const consent = new ConsentHandlers(services);
  const passkey = new PasskeyHandlers(services);
  const browser = new BrowserHandlers(services, { consent, passkey });
  const finish = new FinishHandlers(services);
  const phone = new PhoneHandlers(services);
  const scan = new ScanHandlers(services);
  const browsers = new SignedInBrowserHandlers(services);
  const errors = answerErrors(services.provider, services.views);
  const ours = sameOrigin(services.urls);
  const { limits, urls } = services;

  // Where whoever must wait goes on from: not by a GET of what was posted.
  const again: RouterMiddleware = async (ctx, next) => {
    if (ctx.params.uid !== undefined) ctx.state.again = urls.interaction(ctx.params.uid);
    await next();
  };
  // What another site makes a browser send is refused before it counts: it would use up what the person there may do. Then the
  // limits, before anything is looked at: whoever is over one learns nothing else.
  const bare: RouterMiddleware[] = [protect, errors];
  const page = (often: AddressAct): RouterMiddleware[] => [...bare, notEmbedded, again, limits.byAddress(often)];
  const form = (often: AddressAct): RouterMiddleware[] => [...bare, ours, again, limits.byAddress(often), readFields];
  const data = (often: AddressAct): RouterMiddleware[] => [forScripts, ...page(often)];
  const act = (often: AddressAct): RouterMiddleware[] => [forScripts, ...form(often)];

  const router = new Router()
    // The browser, below its interaction: oidc-provider scopes the interaction cookie to this path.
    .get('/interaction/:uid', ...page('show'), browser.page)
    .get('/interaction/:uid/qr', ...data('watch'), browser.ticket)
    .get('/interaction/:uid/qr/events', ...data('watch'), browser.events)
    .post('/interaction/:uid/qr/renew', ...act('show'), browser.renew)
    .post('/interaction/:uid/qr/finish', ...act('finish'), finish.finish)
    .post('/interaction/:uid/qr/passkey', ...act('finish'), passkey.signIn)
    .post('/interaction/:uid/consent', ...act('finish'), consent.grant)
    .post('/interaction/:uid/cancel', ...act('finish'), finish.cancel)
    .all('/interaction/:uid/*own', ...bare, browser.ownPage)

    // The phone.
    .get('/qr/assets/:name', ...bare, (ctx: RouterContext) => services.assets.serve(ctx, ctx.params.name ?? ''))
    .get('/qr/manifest.webmanifest', ...bare, scan.manifest)
    .get('/qr/scan', ...page('scan'), scan.page)
    .post('/qr/scan', ...form('shortCode'), scan.type)
    .get('/qr/devices', ...page('decide'), browsers.list)
    .post('/qr/devices', ...form('decide'), browsers.end)
    .get('/qr/tickets/:id', ...page('decide'), phone.ticket)
    .post('/qr/tickets/:id', ...form('decide'), phone.decide)
    .get('/qr/:code', ...page('scan'), phone.landing)
    .post('/qr/:code', ...form('scan'), phone.scan);

  return router.routes() as unknown as Middleware;
}

async function forScripts(ctx: RouterContext, next: Next): Promise<void> {
  ctx.state.forScripts = true;
  await next();
}
