import Router, { type RouterMiddleware } from '@koa/router';
import type { Middleware } from 'koa';
import { BrowserGuards } from './browser/browser-request.ts';
import { ConsentHandlers } from './browser/consent.ts';
import { FinishHandlers } from './browser/finish.ts';
import { PasskeyHandlers } from './browser/passkey.ts';
import { QrPageHandlers } from './browser/qr-page.ts';
import { DeviceListHandlers } from './devices/device-list.ts';
import { answerError, fail } from './errors.ts';
import { Approvals } from './phone/approval.ts';
import { PhoneGuards } from './phone/phone-request.ts';
import { ScanHandlers } from './phone/scan-page.ts';
import { TicketHandlers } from './phone/tickets.ts';
import type { Entry, Handler } from './request/guard.ts';
import type { PluginRequest } from './request/plugin-request.ts';
import { protect } from './request/security-headers.ts';
import type { Services } from './services.ts';

/** Every URL of the plugin, below the provider's mount path. */
export function routes(services: Services): Middleware {
  const consent = new ConsentHandlers(services);
  const passkey = new PasskeyHandlers(services);
  const qrPage = new QrPageHandlers({ ...services, consent, passkey });
  const finish = new FinishHandlers(services);
  const approvals = new Approvals(services);
  const tickets = new TicketHandlers({ ...services, approvals });
  const scan = new ScanHandlers({
    ...services,
    approvals,
    fail: (request, error) => fail(services.provider, request, error),
  });
  const deviceList = new DeviceListHandlers(services);
  const asset = ({ ctx }: PluginRequest): Promise<void> => services.assets.serve(ctx, ctx.params.name ?? '');

  const browser = new BrowserGuards(services);
  const phone = new PhoneGuards(services);
  const unguarded: Entry<PluginRequest> = (request) => request;

  // The compiler refuses a handler behind an entry that does not check and read what it needs.
  const forPages = <R extends PluginRequest>(enter: Entry<R>, handle: Handler<R>): RouterMiddleware =>
    route(services, { enter, handle, isForScripts: false });
  const forScripts = <R extends PluginRequest>(enter: Entry<R>, handle: Handler<R>): RouterMiddleware =>
    route(services, { enter, handle, isForScripts: true });

  const router = new Router()
    // The browser, below its interaction: oidc-provider scopes the interaction cookie to this path.
    .get('/interaction/:uid', browser.testCookies, forPages(browser.look('show'), qrPage.page))
    .get('/interaction/:uid/qr', forScripts(browser.look('watch'), qrPage.ticket))
    .get('/interaction/:uid/qr/events', forScripts(browser.look('watch'), qrPage.events))
    .post('/interaction/:uid/qr/renew', forScripts(browser.promptForm('show', 'login'), qrPage.renew))
    .post('/interaction/:uid/qr/finish', forScripts(browser.promptForm('finish', 'login'), finish.finish))
    .post('/interaction/:uid/qr/passkey', forScripts(browser.promptForm('finish', 'login'), passkey.signIn))
    .post('/interaction/:uid/consent', forScripts(browser.promptForm('finish', 'consent'), consent.grant))
    .post('/interaction/:uid/cancel', forScripts(browser.form('finish'), finish.cancel))
    .all('/interaction/:uid/*own', forPages(unguarded, qrPage.ownPage))

    // The phone.
    .get('/qr/assets/:name', forPages(unguarded, asset))
    .get('/qr/manifest.webmanifest', forPages(unguarded, scan.manifest))
    .get('/qr/scan', forPages(phone.look('scan'), scan.page))
    .post('/qr/scan', forPages(phone.form('shortCode', scan.requireShortCodes), scan.type))
    .get('/qr/devices', forPages(phone.look('decide'), deviceList.list))
    .post('/qr/devices', forPages(phone.form('decide'), deviceList.end))
    .get('/qr/tickets/:id', forPages(phone.look('decide'), tickets.show))
    .post('/qr/tickets/:id', forPages(phone.form('decide'), tickets.decide))
    .get('/qr/:code', forPages(phone.look('scan', tickets.noteFreshCode), tickets.landing))
    .post('/qr/:code', forPages(phone.form('scan', tickets.requireFreshCode), tickets.scan));

  const dispatch = router.routes() as unknown as Middleware;
  // The provider's own requests need not be compared with each route.
  return (ctx, next) => (PLUGIN_PATH.test(ctx.path) ? dispatch(ctx, next) : next());
}

/** Ignores case, as the router does. */
const PLUGIN_PATH = /^\/(?:interaction|qr)\//i;

interface Route<R extends PluginRequest> {
  readonly enter: Entry<R>;
  readonly handle: Handler<R>;
  readonly isForScripts: boolean;
}

/** Makes one middleware for a URL: a chain of them would cost more than their work. */
function route<R extends PluginRequest>(
  services: Services,
  { enter, handle, isForScripts }: Route<R>,
): RouterMiddleware {
  return async (ctx, next) => {
    const request = { ctx, isForScripts, hostHeaders: protect(ctx), failure: {} };
    try {
      await handle(await enter(request), next);
    } catch (error) {
      answerError(services, request, error);
    }
  };
}
