import type { Next } from 'koa';
import { accountName, type FindAccount } from '../../oidc/approver.ts';
import { BROWSER_PASSKEY } from '../../oidc/browser-passkey-prompt.ts';
import { findInteractionUid, makeResumeUrl } from '../../oidc/interaction.ts';
import type { Provider } from '../../oidc/provider.ts';
import { signInRequest } from '../../oidc/request/request.ts';
import { endWithError } from '../../oidc/sign-in.ts';
import type { BrowserActs, ShowInput } from '../../ticket/browser.ts';
import type { CheckCodeEntry } from '../../ticket/change.ts';
import type { Codes } from '../../ticket/codes/code.ts';
import type { Clock, Signals } from '../../ticket/ports.ts';
import { type SignInRequest, stateAt, type Ticket, wasReported } from '../../ticket/ticket.ts';
import type { AppLinks } from '../api/app-links.ts';
import type { Announce } from '../events/ticket-events.ts';
import type { ConsentPolicy, EnrolmentRule, LoginPage, OtherWays, OwnPage } from '../hooks/hooks.ts';
import type { PageRenderer } from '../pages/renderer.ts';
import { isPhone } from '../request/client-info.ts';
import type { Cookies } from '../request/cookies.ts';
import { type DeviceDescriber, describeBrowser } from '../request/device.ts';
import type { PluginRequest } from '../request/plugin-request.ts';
import { follow, seeOther, wantsJson } from '../request/responses.ts';
import { unprotect } from '../request/security-headers.ts';
import type { Urls } from '../request/urls.ts';
import type { EventStreams } from '../streams/event-streams.ts';
import type { LongPolls } from '../streams/long-poll.ts';
import { TicketWatch } from '../streams/ticket-watch.ts';
import { parseVersion } from '../streams/version.ts';
import { type BrowserView, type BrowserViews, type Viewer, wantsImage } from '../ticket-view/browser-view.ts';
import type { BrowserPasskeyHandlers } from './browser-passkey.ts';
import type { BrowserRequest, PromptForm } from './browser-request.ts';
import type { ConsentHandlers } from './consent.ts';
import type { EnrolmentRequests } from './enrolment-request.ts';
import type { PasskeyHandlers } from './passkey.ts';
import type { PasskeyCookie } from './passkey-cookie.ts';

export interface QrPagePorts {
  readonly provider: Provider;
  readonly ceremony: { readonly browser: BrowserActs };
  readonly signals: Signals;
  readonly clock: Clock;
  readonly announce: Announce;
  readonly urls: Urls;
  readonly appLinks: Pick<AppLinks, 'hasScheme' | 'makeAppUrl'>;
  readonly codes: Codes;
  readonly cookies: Pick<Cookies, 'memory'>;
  readonly passkeyCookie: Pick<PasskeyCookie, 'hasPasskey'>;
  readonly devices: DeviceDescriber;
  readonly renderer: PageRenderer;
  readonly browserViews: BrowserViews;
  readonly streams: EventStreams;
  readonly longPolls: LongPolls;
  readonly settings: {
    readonly findAccount: FindAccount;
    readonly loginPage: LoginPage;
    readonly otherWays: OtherWays;
    readonly consent: ConsentPolicy;
    readonly qrApprovers: boolean;
    readonly enrolled?: EnrolmentRule | undefined;
    readonly apps: { readonly name?: string | undefined };
    readonly showAddress: boolean;
    readonly checkCodeEntry: CheckCodeEntry;
    readonly shortCode: boolean;
  };
  readonly consent: ConsentHandlers;
  readonly passkey: PasskeyHandlers;
  readonly browserPasskey: BrowserPasskeyHandlers;
  readonly enrolmentRequest: EnrolmentRequests;
}

/** The requests of the browser below its interaction's URL, until it finishes. */
export class QrPageHandlers {
  readonly #ports: QrPagePorts;

  constructor(ports: QrPagePorts) {
    this.#ports = ports;
  }

  /**
   * `GET /interaction/:uid`: the page of the pending prompt. A prompt that the deployment added is left to its own
   * middleware.
   */
  page = async (request: BrowserRequest, next: Next): Promise<void> => {
    const { name } = request.interaction.prompt;
    if (name === 'login') return this.#loginPage(request);
    if (name === 'consent') return this.#ports.consent.page(request);
    if (name === BROWSER_PASSKEY) return this.#ports.browserPasskey.page(request);
    unprotect(request);
    await next();
  };

  /** `GET /interaction/:uid/qr`: the ticket, at once or when it changes. */
  ticket = async (request: BrowserRequest): Promise<void> => {
    const { ctx } = request;
    const watch = this.#watch(request);
    const known = parseVersion('after', ctx.query.after);
    if (ctx.method === 'HEAD') return answerHead(ctx, 'json');
    const ticket = known === undefined ? await watch.read() : await this.#ports.longPolls.next(ctx, watch, known);
    ctx.body = this.#draw(ticket, watch);
  };

  /** `GET /interaction/:uid/qr/events`: the ticket as a stream. */
  events = async (request: BrowserRequest): Promise<void> => {
    const { ctx } = request;
    const watch = this.#watch(request);
    if (ctx.method === 'HEAD') return answerHead(ctx, 'text/event-stream');
    await this.#ports.streams.open(ctx, watch);
  };

  /**
   * `GET /interaction/:uid/qr/app`: opens the present code in the deployment's app, on a phone that shows the page
   * itself. The app comes back to this page, which only this browser can open.
   */
  openApp = async (request: BrowserRequest): Promise<void> => {
    const { appLinks, urls, codes, clock } = this.#ports;
    const { ctx, interaction } = request;
    const self = urls.interaction(interaction.uid);
    const ticket = ctx.method === 'HEAD' ? undefined : await this.#watch(request).read();
    const isWaiting = ticket !== undefined && stateAt(ticket, clock()) === 'waiting';
    const inApp = isWaiting ? appLinks.makeAppUrl(codes.show(ticket.id, clock()).code, self) : undefined;
    seeOther(ctx, inApp ?? self);
  };

  /** `POST /interaction/:uid/qr/renew`: a new ticket instead of the one that the browser shows. */
  renew = async (form: PromptForm<'login'>): Promise<void> => {
    const { ctx, interaction, fields } = form;
    const known = parseVersion('version', fields.version);
    const viewer = viewerOf(form);
    const ticket = await this.#renew(form, known);
    if (wasReported(ticket)) return this.#end(form);
    if (wantsJson(form)) ctx.body = this.#draw(ticket, viewer);
    else seeOther(ctx, this.#ports.urls.interaction(interaction.uid));
  };

  /**
   * `POST /interaction/:uid/qr/enrol`: asks the phone to enrol this browser. The interaction gets a new ticket, with
   * which the sign-in goes on afterwards.
   */
  enrol = async (form: PromptForm<'login'>): Promise<void> => {
    const { enrolmentRequest } = this.#ports;
    const key = enrolmentRequest.readKey(form);
    const ticket = await this.#renew(form);
    if (wasReported(ticket)) return this.#end(form);
    follow(form, await enrolmentRequest.ask(form, key, ticket.request.locales));
  };

  /** Any page of the deployment below `/interaction/:uid`, unless the phone has reported this interaction. */
  ownPage = async (request: PluginRequest, next: Next): Promise<void> => {
    const { provider, ceremony } = this.#ports;
    // Take the uid from the cookie, because the deployment's page uses the cookie and not the URL.
    const uid = await findInteractionUid(provider, request.ctx);
    if (uid !== undefined && (await ceremony.browser.isReported(uid))) return this.#end(request);
    unprotect(request);
    await next();
  };

  /** Replaces the ticket by a new one. @param known the version that the browser knows: a newer ticket stays */
  async #renew(form: BrowserRequest, known?: number): Promise<Ticket> {
    const { ceremony, announce } = this.#ports;
    const { ctx } = form;
    const { ticket, changed, voided } = await ceremony.browser.renew(await this.#makeShowInput(form), known);
    if (voided) announce(ctx, 'qr_login.cancelled', voided);
    if (changed) announce(ctx, 'qr_login.shown', ticket);
    return ticket;
  }

  /** Ends an interaction that the phone has reported. */
  async #end(request: PluginRequest): Promise<void> {
    follow(request, await endWithError(this.#ports.provider, request.ctx, 'report'));
  }

  async #loginPage(request: BrowserRequest): Promise<void> {
    const { ctx, interaction, identity } = request;
    const { provider, ceremony, announce, urls, appLinks, renderer, browserViews, passkeyCookie, settings, clock } =
      this.#ports;
    const self = urls.interaction(interaction.uid);
    if (interaction.result !== undefined) return seeOther(ctx, makeResumeUrl(provider, interaction.returnTo));
    const own = await settings.loginPage(ctx, interaction);
    if (own !== undefined) return seeOther(ctx, urlBelow(self, own));
    if (ctx.method === 'HEAD') return answerHead(ctx, 'html');
    const { ticket, changed } = await ceremony.browser.show(await this.#makeShowInput(request));
    if (changed) announce(ctx, 'qr_login.shown', ticket);
    if (wasReported(ticket)) return this.#end(request);
    const { t } = renderer.languageOf(ctx, ticket.request.locales);
    const page = {
      request: ticket.request,
      ticket: browserViews.drawWithImage(ticket, clock(), identity.accountId),
      urls: { self, renew: `${self}/qr/renew`, finish: `${self}/qr/finish`, cancel: `${self}/cancel` },
      isPhone: isPhone(ctx),
      lasts: browserViews.lasts,
      codeGrace: browserViews.codeGrace,
      showAddress: settings.showAddress,
      tapsNumber: settings.checkCodeEntry === 'tap',
      appName: settings.apps.name,
      codeMark: browserViews.codeMark,
      appUrl: appLinks.hasScheme ? `${self}/qr/app` : undefined,
      typeAt: settings.shortCode ? urls.withoutScheme(urls.scan) : undefined,
      ...(settings.enrolled && { enrolment: true, enrolByPhone: this.#ports.enrolmentRequest.offer(request) }),
      passkey: await this.#ports.passkey.offer(request),
      hasPasskey: passkeyCookie.hasPasskey(ctx),
      signedInAs: await this.#nameOf(identity.accountId),
      otherWays: (await settings.otherWays(ctx, interaction, t)).map((way) => ({
        url: urlBelow(self, way),
        label: way.label,
      })),
    };
    renderer.render(ctx, 'qr', page, ticket.request.locales);
  }

  async #makeShowInput({ ctx, interaction, identity }: BrowserRequest): Promise<ShowInput> {
    const { provider, settings } = this.#ports;
    const browser = await describeBrowser(this.#ports, ctx, identity.binding);
    const request = await signInRequest(provider, interaction, await settings.consent(ctx, interaction));
    return {
      interaction: interaction.uid,
      endsAt: interaction.exp * 1000,
      request: settings.qrApprovers ? allowQrApprover(request) : request,
      browser,
    };
  }

  async #nameOf(accountId: string | undefined): Promise<string | undefined> {
    return accountId === undefined ? undefined : accountName(this.#ports.settings.findAccount, accountId);
  }

  #watch(request: BrowserRequest): TicketWatch {
    const { ceremony, signals } = this.#ports;
    const { svg } = viewerOf(request);
    const ports = { browser: ceremony.browser, signals };
    return new TicketWatch(ports, request.identity, { svg, endsAt: request.interaction.exp * 1000 });
  }

  #draw(ticket: Ticket | undefined, viewer: Viewer): BrowserView {
    return this.#ports.browserViews.draw(ticket, this.#ports.clock(), viewer);
  }
}

function allowQrApprover(request: SignInRequest): SignInRequest {
  return { ...request, requirements: { ...request.requirements, allowsQrApprover: true } };
}

/** Answers a HEAD as a GET would be answered, but shows no code and does not wait. */
function answerHead(ctx: BrowserRequest['ctx'], type: string): void {
  ctx.status = 200;
  ctx.type = type;
}

/** Returns the URL of a page of the deployment below the interaction's URL. */
function urlBelow(self: string, { path }: OwnPage): string {
  return `${self}/${path}`;
}

function viewerOf({ ctx, identity }: BrowserRequest): Viewer {
  return { accountId: identity.accountId, svg: wantsImage(ctx.query.svg) };
}
