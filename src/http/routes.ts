import Router, { type RouterMiddleware } from '@koa/router';
import type { Middleware, Next } from 'koa';
import { BROWSER_PASSKEY } from '../oidc/browser-passkey-prompt.ts';
import { QrLoginError, refusalIn } from '../ticket/errors.ts';
import { ActionPageHandlers } from './actions/action-page.ts';
import { ActionGuards } from './actions/action-page-request.ts';
import { ClientActionHandlers, ClientGuards } from './actions/client-actions.ts';
import { ApiGuards } from './api/api-request.ts';
import { ANDROID_PATH, APPLE_PATH } from './api/app-links.ts';
import { ApiBrowserHandlers } from './api/browsers.ts';
import { allowOrigin, answerPreflight } from './api/cors.ts';
import { ApiDescription } from './api/openapi.ts';
import {
  ACTION_RESULT,
  CHANGE_BROWSER,
  DECIDE,
  DESCRIBE,
  END_BROWSER,
  END_BROWSERS,
  LIST_BROWSERS,
  LIST_REQUESTS,
  OPEN_REQUEST,
  type Operation,
  REQUEST_ACTION,
  SCAN,
  SHOW_TICKET,
} from './api/operations.ts';
import { ApiPendingHandlers } from './api/pending-requests.ts';
import { ApiScanHandlers } from './api/scans.ts';
import { ApiTicketHandlers } from './api/tickets.ts';
import { AskPhone } from './browser/ask-phone.ts';
import { BrowserPasskeyHandlers } from './browser/browser-passkey.ts';
import { BrowserGuards } from './browser/browser-request.ts';
import { ConsentHandlers } from './browser/consent.ts';
import { EnrolmentRequests } from './browser/enrolment-request.ts';
import { FinishHandlers } from './browser/finish.ts';
import { PasskeyHandlers } from './browser/passkey.ts';
import { QrPageHandlers } from './browser/qr-page.ts';
import { ShownKeyHandlers } from './browser/shown-key.ts';
import { DeviceListHandlers } from './devices/device-list.ts';
import { answerError, fail, InnerMiddleware, statusOf } from './errors.ts';
import { DecisionFormHandlers } from './phone/decision-form.ts';
import { LandingHandlers } from './phone/landing.ts';
import { PhoneGuards } from './phone/phone-request.ts';
import { ScanHandlers } from './phone/scan-page.ts';
import { TicketPage } from './phone/ticket-page.ts';
import type { Entry, Handler } from './request/guard.ts';
import type { PluginRequest } from './request/plugin-request.ts';
import { protect } from './request/security-headers.ts';
import { RequestPageHandlers } from './requests/request-page.ts';
import type { Services } from './services.ts';

/** Returns the middleware that answers every URL of the plugin, below the provider's mount path. */
export function routes(services: Services): Middleware {
  const consent = new ConsentHandlers(services);
  const passkey = new PasskeyHandlers(services);
  const browserPasskey = new BrowserPasskeyHandlers(services);
  const enrolmentRequest = new EnrolmentRequests(services);
  const askPhone = new AskPhone(services);
  const qrPage = new QrPageHandlers({ ...services, consent, passkey, browserPasskey, enrolmentRequest, askPhone });
  const finish = new FinishHandlers(services);
  const shownKey = new ShownKeyHandlers(services);
  const landing = new LandingHandlers(services);
  const ticketPage = new TicketPage(services);
  const decisionForm = new DecisionFormHandlers({ ...services, ticketPage });
  const scan = new ScanHandlers({
    ...services,
    fail: (request, error) => fail(services.provider, request, error),
  });
  const apiScans = new ApiScanHandlers(services);
  const apiTickets = new ApiTicketHandlers(services);
  const apiBrowsers = new ApiBrowserHandlers(services);
  const apiPending = new ApiPendingHandlers(services);
  const requestPage = new RequestPageHandlers(services);
  const deviceList = new DeviceListHandlers(services);
  const actionPage = new ActionPageHandlers(services);
  const clientActions = new ClientActionHandlers(services);
  const asset = ({ ctx }: PluginRequest): Promise<void> => services.assets.serve(ctx, ctx.params.name ?? '');

  const logo = ({ ctx }: PluginRequest): Promise<void> => services.logos.serve(ctx, ctx.params.client ?? '');

  const browser = new BrowserGuards(services);
  const phone = new PhoneGuards(services);
  const api = new ApiGuards(services);
  const action = new ActionGuards(services);
  const client = new ClientGuards(services);
  const description = new ApiDescription(services.provider.issuer, statusOf);
  const unguarded: Entry<PluginRequest> = (request) => request;

  // The compiler refuses a handler behind an entry that does not check and read what it needs.
  const forPages = <R extends PluginRequest>(enter: Entry<R>, handle: Handler<R>): RouterMiddleware =>
    route(services, { enter, handle, isForScripts: false });
  const forApps = <R extends PluginRequest>(enter: Entry<R>, handle: Handler<R>): RouterMiddleware =>
    route(services, { enter, handle, isForScripts: true, isForApps: true });
  const forScripts = <R extends PluginRequest>(enter: Entry<R>, handle: Handler<R>): RouterMiddleware =>
    route(services, { enter, handle, isForScripts: true });

  const router = new Router();
  /** Adds a URL. Other methods are refused (RFC 9110, section 15.5.6). */
  const at = (path: string, { get, post, delete: remove, more = refuseMethod }: Methods, kind = forPages): void => {
    const allowed = [...(get ? ['GET', 'HEAD'] : []), ...(post ? ['POST'] : []), ...(remove ? ['DELETE'] : [])];
    if (get) router.get(path, get);
    if (post) router.post(path, post);
    if (remove) router.delete(path, remove);
    router.all(
      path,
      kind(unguarded, (request, next) => more(request, next, allowed)),
    );
  };
  const atApi = (path: string, operations: Operations): void => {
    const described = Object.entries<DescribedRoute>(operations).map(([method, [operation, middleware]]) => {
      description.add(path, method, operation);
      return [method, middleware];
    });
    at(path, { ...Object.fromEntries(described), more: refuseApiMethod }, forApps);
  };
  // The deployment may serve other methods here, and any page below.
  const ownPage: MoreMethods = async (request, next, allowed) => {
    await qrPage.ownPage(request, next);
    if (request.ctx.status === 404 && !request.ctx.body) refuseMethod(request, next, allowed);
  };

  // The browser, below its interaction: oidc-provider scopes the interaction cookie to this path.
  router.get('/interaction/:uid', browser.cookieTest);
  at('/interaction/:uid', { get: forPages(browser.look('show'), qrPage.page), more: ownPage });
  at('/interaction/:uid/qr', { get: forScripts(browser.look('watch'), qrPage.ticket) });
  at('/interaction/:uid/qr/events', { get: forScripts(browser.look('watch'), qrPage.events) });
  at('/interaction/:uid/qr/app', { get: forPages(browser.look('show'), qrPage.openApp) });
  at('/interaction/:uid/qr/renew', { post: forScripts(browser.promptForm('show', 'login'), qrPage.renew) });
  at('/interaction/:uid/qr/finish', { post: forScripts(browser.promptForm('finish', 'login'), finish.finish) });
  at('/interaction/:uid/qr/key', { post: forScripts(browser.promptForm('watch', 'login'), shownKey.note) });
  at('/interaction/:uid/qr/enrol', { post: forScripts(browser.promptForm('show', 'login'), qrPage.enrol) });
  at('/interaction/:uid/qr/ask', { post: forScripts(browser.promptForm('show', 'login'), qrPage.ask) });
  at('/interaction/:uid/qr/passkey', {
    get: forScripts(browser.look('watch'), passkey.options),
    post: forScripts(browser.promptForm('finish', 'login'), passkey.signIn),
  });
  at('/interaction/:uid/consent', {
    post: forScripts(browser.promptForm('finish', 'consent'), consent.grant),
    more: ownPage,
  });
  at('/interaction/:uid/qr/new-passkey', {
    post: forScripts(browser.promptForm('finish', BROWSER_PASSKEY), browserPasskey.act),
  });
  at('/interaction/:uid/cancel', { post: forScripts(browser.form('finish'), finish.cancel), more: ownPage });
  router.all('/interaction/:uid/*own', forPages(unguarded, qrPage.ownPage));

  // The phone.
  at('/qr/assets/:name', { get: forPages(unguarded, asset) });
  at('/qr/logos/:client', { get: forPages(unguarded, logo) });
  at('/qr/manifest.webmanifest', { get: forPages(unguarded, scan.manifest) });
  at('/qr/scan', {
    get: forPages(phone.look('scan'), scan.page),
    post: forPages(phone.form('shortCode', scan.requireShortCodes), scan.scanTyped),
  });
  at('/qr/devices', {
    get: forPages(phone.look('decide'), deviceList.list),
    post: forPages(phone.form('decide'), deviceList.end),
  });
  at('/qr/tickets/:id', {
    get: forPages(phone.lookOrWatch('decide'), ticketPage.show),
    post: forPages(phone.form('decide'), decisionForm.decide),
  });
  at('/qr/requests/:id', {
    get: forPages(phone.look('scan'), requestPage.page),
    post: forPages(phone.form('scan'), requestPage.open),
  });
  // The browser that shows an action, and the client that asks for one.
  atApi('/qr/actions', { post: [REQUEST_ACTION, forApps(client.form('show'), clientActions.request)] });
  atApi('/qr/actions/:id/result', { get: [ACTION_RESULT, forApps(client.look('watch'), clientActions.result)] });
  at('/qr/actions/:id', {
    get: forPages(action.visit('show'), actionPage.page),
    post: forPages(action.open('show'), actionPage.open),
  });
  at('/qr/actions/:id/qr', { get: forScripts(action.look('watch'), actionPage.ticket) });
  at('/qr/actions/:id/qr/events', { get: forScripts(action.look('watch'), actionPage.events) });
  at('/qr/actions/:id/qr/renew', { post: forScripts(action.form('show'), actionPage.leave) });
  at('/qr/actions/:id/qr/finish', { post: forScripts(action.form('finish'), actionPage.finish) });
  at('/qr/actions/:id/cancel', { post: forScripts(action.form('finish'), actionPage.cancel) });
  // The app. `openapi.json` is made from the operation that stands beside each route.
  atApi('/qr/api/scans', { post: [SCAN, forApps(api.form('scan', apiScans.ticketIdIn), apiScans.scan)] });
  atApi('/qr/api/tickets/:id', { get: [SHOW_TICKET, forApps(api.look('decide'), apiTickets.show)] });
  atApi('/qr/api/tickets/:id/decision', { post: [DECIDE, forApps(api.form('decide'), apiTickets.decide)] });
  atApi('/qr/api/requests', { get: [LIST_REQUESTS, forApps(api.look('decide'), apiPending.list)] });
  atApi('/qr/api/requests/:id', { post: [OPEN_REQUEST, forApps(api.form('scan'), apiPending.open)] });
  atApi('/qr/api/browsers', {
    get: [LIST_BROWSERS, forApps(api.look('decide'), apiBrowsers.list)],
    delete: [END_BROWSERS, forApps(api.look('decide'), apiBrowsers.endAll)],
  });
  atApi('/qr/api/browsers/:browser', {
    post: [CHANGE_BROWSER, forApps(api.form('decide'), apiBrowsers.change)],
    delete: [END_BROWSER, forApps(api.look('decide'), apiBrowsers.end)],
  });
  atApi('/qr/api/openapi.json', { get: [DESCRIBE, forApps(unguarded, description.serve)] });

  if (services.appLinks.hasApple) at(APPLE_PATH, { get: forPages(unguarded, services.appLinks.apple) });
  if (services.appLinks.hasAndroid) at(ANDROID_PATH, { get: forPages(unguarded, services.appLinks.android) });

  at('/qr/:code', {
    get: forPages(phone.look('scan', landing.noteFreshCode), landing.page),
    post: forPages(phone.form('scan', landing.requireFreshCode), landing.scan),
  });

  const dispatch = router.routes() as unknown as Middleware;
  // Requests to the provider's own URLs need not be compared with each route.
  return (ctx, next) => (PLUGIN_PATH.test(ctx.path) ? dispatch(ctx, next) : next());
}

/** The paths of the plugin. The pattern ignores case, as the router does. */
const PLUGIN_PATH = /^\/(?:(?:interaction|qr)\/|\.well-known\/(?:apple-app-site-association|assetlinks\.json)$)/i;

/** Handles the methods that a URL of ours does not have. @param allowed the methods that it has */
type MoreMethods = (request: PluginRequest, next: Next, allowed: readonly string[]) => void | Promise<void>;

interface Methods {
  /** The handler for GET, which also answers HEAD. */
  readonly get?: RouterMiddleware;
  readonly post?: RouterMiddleware;
  readonly delete?: RouterMiddleware;
  readonly more?: MoreMethods;
}

/** An operation of the API, and the route that answers it. */
type DescribedRoute = readonly [Operation, RouterMiddleware];

type Operations = Partial<Record<'get' | 'post' | 'delete', DescribedRoute>>;

/** Refuses a method. @throws QrLoginError `method_not_allowed`, unless the request only asks for the methods */
function refuseMethod({ ctx }: PluginRequest, _next: Next, allowed: readonly string[]): void {
  ctx.set('Allow', allowed.join(', '));
  if (ctx.method !== 'OPTIONS') throw new QrLoginError('method_not_allowed', `Use ${allowed.join(' or ')} here.`);
  ctx.status = 204;
}

/** Does the same as {@link refuseMethod} for apps, and answers the preflights of their pages. */
function refuseApiMethod(request: PluginRequest, next: Next, allowed: readonly string[]): void {
  const { ctx } = request;
  if (ctx.method === 'OPTIONS') answerPreflight(ctx, allowed);
  else allowOrigin(ctx);
  refuseMethod(request, next, allowed);
}

interface Route<R extends PluginRequest> {
  readonly enter: Entry<R>;
  readonly handle: Handler<R>;
  readonly isForScripts: boolean;
  readonly isForApps?: true;
}

/** Makes one middleware for a URL. A chain of several would cost more than the work that they do. */
function route<R extends PluginRequest>(
  services: Services,
  { enter, handle, isForScripts, isForApps }: Route<R>,
): RouterMiddleware {
  return async (ctx, next) => {
    const request = { ctx, isForScripts, ...(isForApps && { isForApps }), hostHeaders: protect(ctx), failure: {} };
    const inner = new InnerMiddleware(next);
    try {
      await handle(await enter(request), inner.run);
    } catch (error) {
      // An error of the host's or the deployment's own middleware is theirs to answer.
      if (inner.hasThrown(error) && refusalIn(error) === undefined) throw error;
      answerError(services, request, error);
    }
  };
}
