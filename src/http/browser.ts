import type { RouterContext } from '@koa/router';
import type { Next } from 'koa';
import { accountOf } from '../oidc/approver.ts';
import { grantConsent, missingConsent } from '../oidc/consent.ts';
import { type Interaction, interactionOf } from '../oidc/interaction.ts';
import { signInRequest } from '../oidc/request.ts';
import { refuse, signIn } from '../oidc/sign-in.ts';
import { type Showing, WrongCheckCode } from '../ticket/browser.ts';
import { QrLoginError } from '../ticket/errors.ts';
import { remember } from '../ticket/memory.ts';
import type { Ticket } from '../ticket/ticket.ts';
import type { BrowserView } from './browser-view.ts';
import { addressOf, describeUserAgent } from './client-info.ts';
import { wantsJson } from './errors.ts';
import type { Watching } from './event-stream.ts';
import { announce } from './events.ts';
import { fieldsOf } from './guards.ts';
import type { Services } from './services.ts';

/** What the browser asks for, below its interaction's URL. */
export class BrowserHandlers {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  /** `GET I`: the page of the prompt that is pending. Prompts of the deployment's own are left to it. */
  page = async (ctx: RouterContext, next: Next): Promise<void> => {
    const interaction = await this.#interaction(ctx);
    if (interaction.prompt.name === 'login') await this.#loginPage(ctx, interaction);
    else if (interaction.prompt.name === 'consent') await this.#consentPage(ctx, interaction);
    else await next();
  };

  /** `GET I/qr`: the ticket, at once or when it changes. */
  ticket = async (ctx: RouterContext): Promise<void> => {
    const interaction = await this.#interaction(ctx);
    const watching = this.#watching(ctx, interaction);
    const known = versionIn(ctx.query.after);
    const ticket =
      known === undefined ? await watching.read() : await this.#services.longPolls.next(ctx, watching, known);
    ctx.body = await this.#draw(ticket);
  };

  /** `GET I/qr/events`: the ticket as a stream. */
  events = async (ctx: RouterContext): Promise<void> => {
    const interaction = await this.#interaction(ctx);
    await this.#services.streams.open(ctx, this.#watching(ctx, interaction));
  };

  /** `POST I/qr/renew`: a new ticket instead of this one. */
  renew = async (ctx: RouterContext): Promise<void> => {
    const interaction = await this.#loginInteraction(ctx);
    const { ticket, changed } = await this.#services.ceremony.browser.renew(await this.#showing(ctx, interaction));
    if (changed) announce(this.#services.provider, 'qr_login.shown', ctx, ticket);
    if (wantsJson(ctx)) ctx.body = await this.#draw(ticket);
    else seeOther(ctx, this.#services.urls.interaction(interaction.uid));
  };

  /** `POST I/qr/finish`: signs the browser in with what the phone approved. */
  finish = async (ctx: RouterContext): Promise<void> => {
    const { provider, ceremony, keys, cookies, hooks } = this.#services;
    const interaction = await this.#loginInteraction(ctx);
    const identity = { interaction: interaction.uid, binding: this.#binding(ctx) };
    const { ticket, changed } = await ceremony.browser
      .finish(identity, fieldsOf(ctx).checkCode)
      .catch((error: unknown) => {
        if (error instanceof WrongCheckCode && error.ticket.state === 'cancelled') {
          announce(provider, 'qr_login.cancelled', ctx, error.ticket);
        }
        throw error;
      });
    if (ticket.state === 'denied') {
      return follow(ctx, await refuse(provider, ctx, 'The sign-in was denied on the phone.'));
    }
    await accountOf(hooks.findAccount, ticket.approver);
    if (changed) announce(provider, 'qr_login.finished', ctx, ticket);
    cookies.remember(ctx, remember(keys, cookies.memory(ctx), ticket.approver.accountId));
    // Asked for again because an answer got lost: the interaction has its result already.
    const answered = !changed && interaction.result?.login !== undefined;
    follow(ctx, answered ? interaction.returnTo : await signIn(provider, ctx, ticket.approver));
  };

  /** `POST I/consent`: grants exactly what the consent page showed. */
  consent = async (ctx: RouterContext): Promise<void> => {
    const interaction = await this.#interaction(ctx);
    if (interaction.prompt.name !== 'consent') throw wrongPrompt();
    follow(ctx, await grantConsent(this.#services.provider, ctx, interaction));
  };

  /** `POST I/cancel`: ends the interaction with `access_denied`. */
  cancel = async (ctx: RouterContext): Promise<void> => {
    const { provider, ceremony } = this.#services;
    const interaction = await this.#interaction(ctx);
    const identity = { interaction: interaction.uid, binding: this.#binding(ctx) };
    const outcome = await ceremony.browser.cancel(identity);
    if (outcome?.changed) announce(provider, 'qr_login.cancelled', ctx, outcome.ticket);
    follow(ctx, await refuse(provider, ctx, 'The sign-in was cancelled.'));
  };

  async #loginPage(ctx: RouterContext, interaction: Interaction): Promise<void> {
    const { provider, ceremony, urls, views, hooks } = this.#services;
    const self = urls.interaction(interaction.uid);
    const own = await hooks.loginPage(ctx, interaction);
    if (own !== undefined) return seeOther(ctx, `${self}/${own.path}`);
    // Looking at what a GET would answer shows no code to anybody.
    if (ctx.method === 'HEAD') {
      ctx.status = 200;
      return;
    }
    const showing = await this.#showing(ctx, interaction);
    const { ticket, changed } = await ceremony.browser.show(showing);
    if (changed) announce(provider, 'qr_login.shown', ctx, ticket);
    const { request } = ticket;
    const page = {
      request,
      ticket: await this.#draw(ticket),
      urls: { self, renew: `${self}/qr/renew`, finish: `${self}/qr/finish`, cancel: `${self}/cancel` },
      otherWays: hooks.otherWays(ctx, interaction).map(({ path, label }) => ({ url: `${self}/${path}`, label })),
    };
    views.render(ctx, 'qr', page, request.locales);
  }

  async #consentPage(ctx: RouterContext, interaction: Interaction): Promise<void> {
    const { provider, urls, views, hooks } = this.#services;
    const { scopes, claims, resources, details } = missingConsent(interaction);
    const request = await signInRequest(provider, interaction);
    const account = await hooks.findAccount(interaction.session?.accountId ?? '');
    const self = urls.interaction(interaction.uid);
    const page = {
      request,
      account: account?.name ?? '',
      scopes,
      claims,
      resources,
      details: details.map((detail) => JSON.stringify(detail, null, 2)),
      urls: { grant: `${self}/consent`, cancel: `${self}/cancel` },
    };
    views.render(ctx, 'consent', page, request.locales);
  }

  async #interaction(ctx: RouterContext): Promise<Interaction> {
    const uid = ctx.params.uid ?? '';
    ctx.state.back = this.#services.urls.interaction(uid);
    const interaction = await interactionOf(this.#services.provider, ctx, uid).catch((error: unknown) => {
      ctx.state.back = undefined;
      throw error;
    });
    this.#binding(ctx);
    return interaction;
  }

  async #loginInteraction(ctx: RouterContext): Promise<Interaction> {
    const interaction = await this.#interaction(ctx);
    if (interaction.prompt.name !== 'login') throw wrongPrompt();
    return interaction;
  }

  /** Only the browser that started the interaction has its binding cookie. */
  #binding(ctx: RouterContext): string {
    const binding = this.#services.cookies.binding(ctx);
    if (binding !== undefined) return binding;
    throw new QrLoginError(
      'no_interaction',
      'This sign-in has timed out, or it was started in another browser. Go back to the app and sign in again.',
    );
  }

  async #showing(ctx: RouterContext, interaction: Interaction): Promise<Showing> {
    const address = addressOf(ctx);
    const memory = this.#services.cookies.memory(ctx);
    return {
      interaction: interaction.uid,
      endsAt: interaction.exp * 1000,
      request: await signInRequest(this.#services.provider, interaction),
      browser: {
        binding: this.#binding(ctx),
        ...describeUserAgent(ctx.get('user-agent')),
        ...(address !== undefined && { address }),
        ...(memory !== undefined && { memory }),
      },
    };
  }

  #watching(ctx: RouterContext, interaction: Interaction): Watching {
    const { ceremony, signals } = this.#services;
    const identity = { interaction: interaction.uid, binding: this.#binding(ctx) };
    return {
      read: () => ceremony.browser.look(identity),
      subscribe: (listener) => signals.subscribe(identity.interaction, listener),
      endsAt: interaction.exp * 1000,
    };
  }

  #draw(ticket: Ticket | undefined): Promise<BrowserView> {
    return this.#services.browserViews.draw(ticket, this.#services.clock());
  }
}

/** Leads on: scripts are told where, forms are sent there. */
function follow(ctx: RouterContext, redirectTo: string): void {
  if (wantsJson(ctx)) ctx.body = { redirectTo };
  else seeOther(ctx, redirectTo);
}

/** After a POST, a GET (RFC 9110, section 15.4.4). */
export function seeOther(ctx: RouterContext, url: string): void {
  ctx.status = 303;
  ctx.redirect(url);
}

function versionIn(after: string | string[] | undefined): number | undefined {
  if (after === undefined) return undefined;
  if (typeof after === 'string' && /^\d{1,9}$/.test(after)) return Number(after);
  throw new QrLoginError('invalid_request', '"after" is the version of the ticket that you know: a whole number.');
}

function wrongPrompt(): QrLoginError {
  return new QrLoginError('wrong_state', 'This is not what the sign-in waits for. Load the page again.');
}
