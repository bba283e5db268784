import type { RouterContext } from '@koa/router';
import type { Next } from 'koa';
import { findClientHome } from '../../oidc/client.ts';
import { goingOn, interactionUid } from '../../oidc/interaction.ts';
import { signInRequest } from '../../oidc/request.ts';
import { refuse } from '../../oidc/sign-in.ts';
import type { Showing } from '../../ticket/browser.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import { type Ticket, wasReported } from '../../ticket/ticket.ts';
import type { OtherWays, OwnPage } from '../hooks/hooks.ts';
import { fieldsOf } from '../request/body.ts';
import { describeUserAgent, isPhone, sourceOf } from '../request/client-info.ts';
import { follow, seeOther, wantsJson } from '../request/responses.ts';
import { unprotect } from '../request/security-headers.ts';
import type { Services } from '../services.ts';
import { TicketWatch } from '../streams/ticket-watch.ts';
import type { BrowserView, Viewer } from '../ticket-view/browser-view.ts';
import { type BrowserRequest, findBrowserRequest, findLoginRequest } from './browser-request.ts';
import type { ConsentHandlers } from './consent.ts';
import type { PasskeyHandlers } from './passkey.ts';

/** What the browser asks for, below its interaction's URL, until it finishes. */
export class BrowserHandlers {
  readonly #services: Services;
  readonly #consent: ConsentHandlers;
  readonly #passkey: PasskeyHandlers;

  constructor(services: Services, beside: { consent: ConsentHandlers; passkey: PasskeyHandlers }) {
    this.#services = services;
    this.#consent = beside.consent;
    this.#passkey = beside.passkey;
  }

  /** `GET I`: the page of the prompt that is pending. Prompts of the deployment's own are left to it. */
  page = async (ctx: RouterContext, next: Next): Promise<void> => {
    const pending = await findBrowserRequest(this.#services, ctx);
    const { interaction } = pending;
    if (interaction.prompt.name === 'login') return this.#loginPage(ctx, pending);
    if (interaction.prompt.name === 'consent') return this.#consent.page(ctx, interaction);
    unprotect(ctx);
    await next();
  };

  /** `GET I/qr`: the ticket, at once or when it changes. */
  ticket = async (ctx: RouterContext): Promise<void> => {
    const pending = await findBrowserRequest(this.#services, ctx);
    const watching = this.#watching(ctx, pending);
    const known = versionIn('after', ctx.query.after);
    const ticket =
      known === undefined ? await watching.read() : await this.#services.longPolls.next(ctx, watching, known);
    ctx.body = this.#draw(ticket, watching);
  };

  /** `GET I/qr/events`: the ticket as a stream. */
  events = async (ctx: RouterContext): Promise<void> => {
    const pending = await findBrowserRequest(this.#services, ctx);
    const watching = this.#watching(ctx, pending);
    if (ctx.method === 'HEAD') return answerHead(ctx, 'text/event-stream');
    await this.#services.streams.open(ctx, watching);
  };

  /** `POST I/qr/renew`: a new ticket instead of the one that the browser shows. */
  renew = async (ctx: RouterContext): Promise<void> => {
    const { ceremony, announce, urls } = this.#services;
    const pending = await findLoginRequest(this.#services, ctx);
    const seen = versionIn('version', fieldsOf(ctx).version);
    const viewer = viewerOf(ctx, pending);
    const { ticket, changed, voided } = await ceremony.browser.renew(await this.#showing(ctx, pending), seen);
    if (voided) announce(ctx, 'qr_login.cancelled', voided);
    if (changed) announce(ctx, 'qr_login.shown', ticket);
    if (wasReported(ticket)) return this.#end(ctx);
    if (wantsJson(ctx)) ctx.body = this.#draw(ticket, viewer);
    else seeOther(ctx, urls.interaction(pending.interaction.uid));
  };

  /** Whatever the deployment serves below `I`: not where the phone has said that somebody else started this. */
  ownPage = async (ctx: RouterContext, next: Next): Promise<void> => {
    // Of the cookie, as what lies behind goes by that and not by the URL.
    const uid = await interactionUid(this.#services.provider, ctx);
    if (uid !== undefined && (await this.#services.ceremony.browser.isReported(uid))) return this.#end(ctx);
    unprotect(ctx);
    await next();
  };

  /** The phone has ended this interaction. */
  async #end(ctx: RouterContext): Promise<void> {
    follow(ctx, await refuse(this.#services.provider, ctx, 'report'));
  }

  async #loginPage(ctx: RouterContext, pending: BrowserRequest): Promise<void> {
    const { interaction } = pending;
    const { provider, ceremony, announce, urls, views, browserViews, hooks, clock } = this.#services;
    const self = urls.interaction(interaction.uid);
    if (interaction.result !== undefined) return seeOther(ctx, goingOn(provider, interaction.returnTo));
    const own = await hooks.loginPage(ctx, interaction);
    if (own !== undefined) return seeOther(ctx, below(self, own));
    // Looking at what a GET would answer shows no code to anybody.
    if (ctx.method === 'HEAD') return answerHead(ctx, 'html');
    const showing = await this.#showing(ctx, pending);
    const { ticket, changed } = await ceremony.browser.show(showing);
    if (changed) announce(ctx, 'qr_login.shown', ticket);
    if (wasReported(ticket)) return this.#end(ctx);
    const { request } = ticket;
    const { t } = views.languageOf(ctx, request.locales);
    const page = {
      request,
      ticket: browserViews.drawn(ticket, clock(), pending.identity.accountId),
      urls: { self, renew: `${self}/qr/renew`, finish: `${self}/qr/finish`, cancel: `${self}/cancel` },
      isPhone: isPhone(ctx),
      lasts: browserViews.lasts,
      showAddress: hooks.showAddress,
      typeAt: hooks.shortCode ? urls.typed(urls.scan) : undefined,
      home: await findClientHome(provider, String(interaction.params.client_id)),
      passkey: await this.#passkey.offer(pending),
      signedInAs: await this.#nameOf(pending.identity.accountId),
      otherWays: waysOf(hooks.otherWays(ctx, interaction, t)).map((way) => ({
        url: below(self, way),
        label: way.label,
      })),
    };
    views.render(ctx, 'qr', page, request.locales);
  }

  async #showing(ctx: RouterContext, { interaction, identity }: BrowserRequest): Promise<Showing> {
    const { provider, cookies, devices, hooks } = this.#services;
    const memory = cookies.memory(ctx);
    const device = await devices.of(ctx);
    return {
      interaction: interaction.uid,
      endsAt: interaction.exp * 1000,
      request: await signInRequest(provider, interaction, await hooks.consent(ctx, interaction)),
      browser: {
        binding: identity.binding,
        source: sourceOf(ctx),
        ...device,
        ...describeUserAgent(device.userAgent),
        ...(memory !== undefined && { memory }),
      },
    };
  }

  async #nameOf(accountId: string | undefined): Promise<string | undefined> {
    if (accountId === undefined) return undefined;
    return (await this.#services.hooks.findAccount(accountId))?.name ?? accountId;
  }

  #watching(ctx: RouterContext, pending: BrowserRequest): TicketWatch {
    const { ceremony, signals } = this.#services;
    const { svg } = viewerOf(ctx, pending);
    const ports = { browser: ceremony.browser, signals };
    return new TicketWatch(ports, pending.identity, { svg, endsAt: pending.interaction.exp * 1000 });
  }

  #draw(ticket: Ticket | undefined, viewer: Viewer): BrowserView {
    return this.#services.browserViews.draw(ticket, this.#services.clock(), viewer);
  }
}

/** A HEAD asks what a GET would answer: it shows no code to anybody, and waits for nothing. */
function answerHead(ctx: RouterContext, type: string): void {
  ctx.status = 200;
  ctx.type = type;
}

function waysOf(ways: ReturnType<OtherWays>): ReturnType<OtherWays> {
  if (Array.isArray(ways)) return ways;
  throw new TypeError('otherWays must give a list, at once: [{ path: "password", label: "Use a password" }]');
}

/** A page of the deployment's own, below the interaction's URL. */
function below(self: string, { path }: OwnPage): string {
  if (typeof path === 'string' && /^[\w-]+$/.test(path)) return `${self}/${path}`;
  throw new TypeError(`loginPage and otherWays must give a path of letters, digits, "-" and "_", not "${path}"`);
}

/** `?svg=no`: whoever asks draws the code by itself. */
function viewerOf(ctx: RouterContext, { identity }: BrowserRequest): Viewer {
  const { svg } = ctx.query;
  if (svg === undefined || svg === 'no') return { accountId: identity.accountId, svg: svg === undefined };
  throw new QrLoginError('invalid_request', '"svg" is "no" where you draw the code by yourself; else leave it out.');
}

function versionIn(name: string, given: string | string[] | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (typeof given === 'string' && /^\d{1,9}$/.test(given)) return Number(given);
  throw new QrLoginError('invalid_request', `"${name}" is the version of the ticket that you know: a whole number.`);
}
