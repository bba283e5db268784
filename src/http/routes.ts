import Router, { type RouterContext, type RouterMiddleware } from '@koa/router';
import type { Context, Middleware, Next } from 'koa';
import { ConsentHandlers } from './browser/consent.ts';
import { FinishHandlers } from './browser/finish.ts';
import { PasskeyHandlers } from './browser/passkey.ts';
import { BrowserHandlers } from './browser/qr-page.ts';
import { SignedInBrowserHandlers } from './devices/device-list.ts';
import { answerError } from './errors.ts';
import { Claims } from './phone/phone-request.ts';
import { ScanHandlers } from './phone/scan-page.ts';
import { PhoneHandlers } from './phone/tickets.ts';
import { readFields } from './request/body.ts';
import type { Guard } from './request/guard.ts';
import { notEmbedded, sameOrigin } from './request/origin.ts';
import type { AddressAct } from './request/rate-limits.ts';
import { protect } from './request/security-headers.ts';
import type { Services } from './services.ts';

/** Every URL of the plugin, below the provider's mount path. */
export function routes(services: Services): Middleware {
  const consent = new ConsentHandlers(services);
  const passkey = new PasskeyHandlers(services);
  const browser = new BrowserHandlers(services, { consent, passkey });
  const finish = new FinishHandlers(services);
  const claims = new Claims(services);
  const phone = new PhoneHandlers(services, claims);
  const scan = new ScanHandlers(services, claims);
  const browsers = new SignedInBrowserHandlers(services, claims);
  const ours = sameOrigin(services.urls);
  const { limits, urls } = services;

  // Where whoever must wait goes on from: not by a GET of what was posted.
  const again: Guard = (ctx) => {
    if (ctx.params.uid !== undefined) ctx.state.again = urls.interaction(ctx.params.uid);
  };
  const behind = (guards: readonly Guard[], handle: Handler): RouterMiddleware => guarded(services, guards, handle);
  // What another site makes a browser send is refused before it counts: it would use up what the person there may do. Then the
  // limits, before anything is looked at: whoever is over one learns nothing else.
  const bare = (handle: Handler): RouterMiddleware => behind([], handle);
  const look = (often: AddressAct): Guard[] => [notEmbedded, again, limits.byAddress(often)];
  const send = (often: AddressAct): Guard[] => [ours, again, limits.byAddress(often), readFields];
  const page = (often: AddressAct, handle: Handler): RouterMiddleware => behind(look(often), handle);
  const data = (often: AddressAct, handle: Handler): RouterMiddleware => behind([forScripts, ...look(often)], handle);
  const act = (often: AddressAct, handle: Handler): RouterMiddleware => behind([forScripts, ...send(often)], handle);

  const phonePage = (often: AddressAct, handle: Handler): RouterMiddleware =>
    behind([notEmbedded, claims.counting(often)], handle);
  const phoneForm = (often: AddressAct, handle: Handler): RouterMiddleware =>
    behind([ours, claims.counting(often, readFields)], handle);

  const asset: Handler = (ctx) => services.assets.serve(ctx, ctx.params.name ?? '');

  const router = new Router()
    // The browser, below its interaction: oidc-provider scopes the interaction cookie to this path.
    .get('/interaction/:uid', page('show', browser.page))
    .get('/interaction/:uid/qr', data('watch', browser.ticket))
    .get('/interaction/:uid/qr/events', data('watch', browser.events))
    .post('/interaction/:uid/qr/renew', act('show', browser.renew))
    .post('/interaction/:uid/qr/finish', act('finish', finish.finish))
    .post('/interaction/:uid/qr/passkey', act('finish', passkey.signIn))
    .post('/interaction/:uid/consent', act('finish', consent.grant))
    .post('/interaction/:uid/cancel', act('finish', finish.cancel))
    .all('/interaction/:uid/*own', bare(browser.ownPage))

    // The phone.
    .get('/qr/assets/:name', bare(asset))
    .get('/qr/manifest.webmanifest', bare(scan.manifest))
    .get('/qr/scan', phonePage('scan', scan.page))
    .post('/qr/scan', phoneForm('shortCode', scan.type))
    .get('/qr/devices', phonePage('decide', browsers.list))
    .post('/qr/devices', phoneForm('decide', browsers.end))
    .get('/qr/tickets/:id', phonePage('decide', phone.ticket))
    .post('/qr/tickets/:id', phoneForm('decide', phone.decide))
    .get('/qr/:code', phonePage('scan', phone.landing))
    .post('/qr/:code', phoneForm('scan', phone.scan));

  const dispatch = router.routes() as unknown as Middleware;
  // The provider's own requests need not be compared with each of them.
  return (ctx, next) => (OURS.test(ctx.path) ? dispatch(ctx, next) : next());
}

/** As the router compares: not minding capitals. */
const OURS = /^\/(?:interaction|qr)\//i;

type Handler = (ctx: RouterContext, next: Next) => void | Promise<void>;

function forScripts(ctx: Context): void {
  ctx.state.forScripts = true;
}

/** One middleware for each URL: a chain of them would cost more than what they do. */
function guarded({ provider, views }: Services, guards: readonly Guard[], handle: Handler): RouterMiddleware {
  return async (ctx, next) => {
    protect(ctx);
    try {
      for (const guard of guards) {
        const passing = guard(ctx);
        if (passing !== undefined) await passing;
      }
      await handle(ctx, next);
    } catch (error) {
      answerError(provider, views, ctx, error);
    }
  };
}
