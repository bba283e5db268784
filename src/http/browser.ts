import type { RouterContext } from '@koa/router';
import type { Next } from 'koa';
import { accountOf } from '../oidc/approver.ts';
import { assertPrompt } from '../oidc/interaction.ts';
import { clientOf, homeOf, signInRequest } from '../oidc/request.ts';
import { subjectOf } from '../oidc/requirements.ts';
import { refuse, signIn } from '../oidc/sign-in.ts';
import { type BrowserActs, type BrowserIdentity, type Showing, WrongCheckCode } from '../ticket/browser.ts';
import { QrLoginError } from '../ticket/errors.ts';
import { remember } from '../ticket/memory.ts';
import type { ApprovedTicket, Ticket } from '../ticket/ticket.ts';
import { follow, seeOther, wantsJson } from './answers.ts';
import type { BrowserView } from './browser-view.ts';
import { addressOf, describeUserAgent } from './client-info.ts';
import type { ConsentHandlers } from './consent.ts';
import { fieldsOf, unprotect } from './guards.ts';
import { type Pending, pendingAt } from './pending.ts';
import type { OwnPage, Services } from './services.ts';
import type { Watching } from './watching.ts';

/** What the browser asks for, below its interaction's URL. */
export class BrowserHandlers {
  readonly #services: Services;
  readonly #consent: ConsentHandlers;

  constructor(services: Services, consent: ConsentHandlers) {
    this.#services = services;
    this.#consent = consent;
  }

  /** `GET I`: the page of the prompt that is pending. Prompts of the deployment's own are left to it. */
  page = async (ctx: RouterContext, next: Next): Promise<void> => {
    const pending = await pendingAt(this.#services, ctx);
    const { interaction } = pending;
    if (interaction.prompt.name === 'login') return this.#loginPage(ctx, pending);
    if (interaction.prompt.name === 'consent') return this.#consent.page(ctx, interaction);
    unprotect(ctx);
    await next();
  };

  /** `GET I/qr`: the ticket, at once or when it changes. */
  ticket = async (ctx: RouterContext): Promise<void> => {
    const pending = await pendingAt(this.#services, ctx);
    const watching = this.#watching(pending);
    const known = versionIn('after', ctx.query.after);
    const ticket =
      known === undefined ? await watching.read() : await this.#services.longPolls.next(ctx, watching, known);
    ctx.body = await this.#draw(ticket, pending);
  };

  /** `GET I/qr/events`: the ticket as a stream. */
  events = async (ctx: RouterContext): Promise<void> => {
    const pending = await pendingAt(this.#services, ctx);
    if (ctx.method === 'HEAD') return answerHead(ctx, 'text/event-stream');
    await this.#services.streams.open(ctx, this.#watching(pending));
  };

  /** `POST I/qr/renew`: a new ticket instead of the one that the browser shows. */
  renew = async (ctx: RouterContext): Promise<void> => {
    const { ceremony, announce, urls } = this.#services;
    const pending = await this.#pendingLogin(ctx);
    const seen = versionIn('version', fieldsOf(ctx).version);
    const { ticket, changed, voided } = await ceremony.browser.renew(await this.#showing(ctx, pending), seen);
    if (voided) announce(ctx, 'qr_login.cancelled', voided);
    if (changed) announce(ctx, 'qr_login.shown', ticket);
    if (wantsJson(ctx)) ctx.body = await this.#draw(ticket, pending);
    else seeOther(ctx, urls.interaction(pending.interaction.uid));
  };

  /** `POST I/qr/finish`: signs the browser in with what the phone approved. */
  finish = async (ctx: RouterContext): Promise<void> => {
    const { provider, keys, cookies, announce } = this.#services;
    const { interaction, identity } = await this.#pendingLogin(ctx);
    // Asked for again because an answer got lost: writing the result again could bring back what was resumed since.
    if (interaction.result !== undefined) return follow(ctx, interaction.returnTo);
    const { ticket, changed } = await this.#redeem(ctx, identity);
    if (ticket.state === 'denied') {
      return follow(ctx, await refuse(provider, ctx, ticket.because));
    }
    if (changed) announce(ctx, 'qr_login.finished', ticket);
    cookies.keepMemory(ctx, remember(keys, cookies.memory(ctx), ticket.approver.accountId));
    follow(ctx, await signIn(provider, ctx, ticket));
  };

  /** `POST I/cancel`: ends the interaction with `access_denied`. */
  cancel = async (ctx: RouterContext): Promise<void> => {
    const { provider, ceremony, announce } = this.#services;
    const { interaction, identity } = await pendingAt(this.#services, ctx);
    if (interaction.result !== undefined) return follow(ctx, interaction.returnTo);
    const outcome = await ceremony.browser.cancel(identity);
    if (outcome?.changed) announce(ctx, 'qr_login.cancelled', outcome.ticket);
    follow(ctx, await refuse(provider, ctx, 'browser'));
  };

  async #loginPage(ctx: RouterContext, pending: Pending): Promise<void> {
    const { interaction } = pending;
    const { provider, ceremony, announce, urls, views, hooks } = this.#services;
    const self = urls.interaction(interaction.uid);
    if (interaction.result !== undefined) return seeOther(ctx, interaction.returnTo);
    const own = await hooks.loginPage(ctx, interaction);
    if (own !== undefined) return seeOther(ctx, below(self, own));
    // Looking at what a GET would answer shows no code to anybody.
    if (ctx.method === 'HEAD') return answerHead(ctx, 'html');
    const showing = await this.#showing(ctx, pending);
    const { ticket, changed } = await ceremony.browser.show(showing);
    if (changed) announce(ctx, 'qr_login.shown', ticket);
    const { request } = ticket;
    const page = {
      request,
      ticket: await this.#draw(ticket, pending),
      urls: { self, renew: `${self}/qr/renew`, finish: `${self}/qr/finish`, cancel: `${self}/cancel` },
      showAddress: hooks.showAddress,
      home: homeOf(await clientOf(provider, interaction)),
      signedInAs: await this.#nameOf(pending.identity.accountId),
      otherWays: hooks.otherWays(ctx, interaction).map((way) => ({ url: below(self, way), label: way.label })),
    };
    views.render(ctx, 'qr', page, request.locales);
  }

  async #pendingLogin(ctx: RouterContext): Promise<Pending> {
    const pending = await pendingAt(this.#services, ctx);
    assertPrompt(pending.interaction, 'login');
    return pending;
  }

  async #showing(ctx: RouterContext, { interaction, identity }: Pending): Promise<Showing> {
    const { provider, cookies, hooks } = this.#services;
    const address = addressOf(ctx);
    const memory = cookies.memory(ctx);
    return {
      interaction: interaction.uid,
      endsAt: interaction.exp * 1000,
      request: await signInRequest(provider, interaction, await hooks.consent(ctx, interaction)),
      browser: {
        binding: identity.binding,
        ...describeUserAgent(ctx.get('user-agent')),
        ...(address !== undefined && { address }),
        ...(memory !== undefined && { memory }),
      },
    };
  }

  async #nameOf(accountId: string | undefined): Promise<string | undefined> {
    return accountId === undefined ? undefined : (await this.#services.hooks.findAccount(accountId))?.name;
  }

  #watching({ interaction, identity }: Pending): Watching {
    const { ceremony, signals } = this.#services;
    return {
      read: () => ceremony.browser.look(identity),
      subscribe: (listener) => signals.subscribe(identity.interaction, listener),
      accountId: identity.accountId,
      endsAt: interaction.exp * 1000,
    };
  }

  /** Whoever approved may have been disabled since, or be somebody else to the client. */
  async #assertAccount({ approver, request }: ApprovedTicket): Promise<void> {
    const { provider, hooks } = this.#services;
    await accountOf(hooks.findAccount, approver);
    const { subject } = request.requirements;
    if (subject === undefined || subject === (await subjectOf(provider, request.client.id, approver.accountId))) return;
    throw new QrLoginError('wrong_account', 'This app asks for another account than the one that approved.');
  }

  async #redeem(ctx: RouterContext, identity: BrowserIdentity): ReturnType<BrowserActs['finish']> {
    const { ceremony, announce } = this.#services;
    try {
      const { checkCode, switchAccount } = fieldsOf(ctx);
      const said = { checkCode, switchAccount: switchAccount === 'yes' };
      return await ceremony.browser.finish(identity, said, (ticket) => this.#assertAccount(ticket));
    } catch (error) {
      if (error instanceof WrongCheckCode && error.ended) announce(ctx, 'qr_login.cancelled', error.ended);
      throw error;
    }
  }

  #draw(ticket: Ticket | undefined, { identity }: Pending): Promise<BrowserView> {
    return this.#services.browserViews.draw(ticket, this.#services.clock(), identity.accountId);
  }
}

/** A HEAD asks what a GET would answer: it shows no code to anybody, and waits for nothing. */
function answerHead(ctx: RouterContext, type: string): void {
  ctx.status = 200;
  ctx.type = type;
}

/** A page of the deployment's own, below the interaction's URL. */
function below(self: string, { path }: OwnPage): string {
  if (/^[\w-]+$/.test(path)) return `${self}/${path}`;
  throw new TypeError(`loginPage and otherWays must give a path of letters, digits, "-" and "_", not "${path}"`);
}

function versionIn(name: string, given: string | string[] | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (typeof given === 'string' && /^\d{1,9}$/.test(given)) return Number(given);
  throw new QrLoginError('invalid_request', `"${name}" is the version of the ticket that you know: a whole number.`);
}
