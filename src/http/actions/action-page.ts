import type { Context } from 'koa';
import type { ActionActs, ActionTicket } from '../../ticket/actions.ts';
import type { BrowserActs } from '../../ticket/browser.ts';
import type { Codes } from '../../ticket/codes/code.ts';
import type { Clock, Signals } from '../../ticket/ports.ts';
import { isLive, stateAt } from '../../ticket/ticket.ts';
import { Redemption, type RedemptionPorts } from '../browser/redemption.ts';
import type { Enrolments } from '../devices/enrolments.ts';
import { type EmitTicketEvent, ticketFactsOf } from '../events/ticket-events.ts';
import type { Pages } from '../pages/page-data.ts';
import type { PageRenderer } from '../pages/renderer.ts';
import { isPhone } from '../request/client-info.ts';
import type { Cookies } from '../request/cookies.ts';
import { type DeviceDescriber, describeBrowser } from '../request/device.ts';
import { follow, toSeconds } from '../request/responses.ts';
import type { Urls } from '../request/urls.ts';
import type { EventStreams } from '../streams/event-streams.ts';
import type { LongPolls } from '../streams/long-poll.ts';
import { TicketWatch } from '../streams/ticket-watch.ts';
import { parseVersion } from '../streams/version.ts';
import { type BrowserViews, wantsImage } from '../ticket-view/browser-view.ts';
import type { ActionForm, ActionOpening, ActionPageRequest, ActionVisit } from './action-page-request.ts';

export interface ActionPagePorts extends RedemptionPorts {
  readonly ceremony: {
    readonly browser: Pick<BrowserActs, 'look' | 'finish' | 'cancel'>;
    readonly actions: Pick<ActionActs, 'open'>;
  };
  readonly enrolments: RedemptionPorts['enrolments'] & Pick<Enrolments, 'enrolApproved'>;
  /** Emits an event of a ticket whose expiry another process may announce. */
  readonly emit: EmitTicketEvent;
  readonly devices: DeviceDescriber;
  readonly signals: Signals;
  readonly clock: Clock;
  readonly urls: Urls;
  readonly codes: Codes;
  readonly cookies: Cookies;
  readonly renderer: PageRenderer;
  readonly browserViews: BrowserViews;
  readonly streams: EventStreams;
  readonly longPolls: LongPolls;
  readonly settings: RedemptionPorts['settings'] & {
    readonly apps: { readonly name?: string | undefined };
    readonly shortCode: boolean;
    readonly showAddress: boolean;
  };
}

/**
 * The page that shows the code of an action. The URLs below its own are named like those of the QR page, so the same
 * script drives both pages.
 */
export class ActionPageHandlers {
  readonly #ports: ActionPagePorts;
  readonly #redemption: Redemption;

  constructor(ports: ActionPagePorts) {
    this.#ports = ports;
    this.#redemption = new Redemption(ports);
  }

  /**
   * `GET /qr/actions/:id`: the code and the state; before a browser has opened the action, a form that opens it here.
   * Changes nothing: the cookie that it sets only counts once that form is sent.
   */
  page = async (visit: ActionVisit): Promise<void> => {
    const { cookies, browserViews, renderer, urls, settings, clock } = this.#ports;
    const { ctx, ticket } = visit;
    const now = clock();
    const state = stateAt(ticket, now);
    if (!visit.isShownHere && state === 'waiting') cookies.bindAction(ctx, ticket.interaction, ticket.endsAt - now);
    const isPhoneHere = isPhone(ctx);
    const page: Pages['action'] = {
      ...describe(ticket, urls.action(ticket.interaction)),
      state,
      ...(visit.isShownHere && isLive(ticket, now) && { ticket: browserViews.drawWithImage(ticket, now, undefined) }),
      isPhone: isPhoneHere,
      opensItself: !isPhoneHere,
      lasts: { ...browserViews.lasts, scan: toSeconds(ticket.deadline - ticket.shownAt) },
      codeGrace: browserViews.codeGrace,
      showAddress: settings.showAddress,
      appName: settings.apps.name,
      codeMark: browserViews.codeMark,
      typeAt: settings.shortCode ? urls.withoutScheme(urls.scan) : undefined,
    };
    renderer.render(ctx, 'action', page, ticket.request.locales);
  };

  /**
   * `POST /qr/actions/:id`: shows the action in this browser, if no other browser shows it. With the field `here`, the
   * user decides on this device: the browser is redirected to the address in the code, as if it had scanned the code.
   */
  open = async (opening: ActionOpening): Promise<void> => {
    const { ceremony, emit, cookies, urls, clock } = this.#ports;
    const { ctx, ticket, fields } = opening;
    const { interaction: id, endsAt } = ticket;
    const binding = cookies.bindAction(ctx, id, endsAt - clock());
    const shown = await ceremony.actions.open(id, await describeBrowser(this.#ports, ctx, binding));
    if (shown.changed) emit(ctx, 'qr_login.shown', ticketFactsOf(shown.ticket));
    if (fields.here !== 'yes') return follow(opening, urls.action(id));
    cookies.noteShownAction(ctx, id, endsAt - clock());
    follow(opening, this.#codeUrl(ticket));
  };

  /** `GET /qr/actions/:id/qr`: the ticket, at once or when it changes. */
  ticket = async (request: ActionPageRequest): Promise<void> => {
    const { longPolls, browserViews, clock } = this.#ports;
    const { ctx } = request;
    const watch = this.#watch(request);
    const known = parseVersion('after', ctx.query.after);
    if (ctx.method === 'HEAD') return answerHead(ctx, 'json');
    const ticket = known === undefined ? await watch.read() : await longPolls.next(ctx, watch, known);
    ctx.body = browserViews.draw(ticket, clock(), watch);
  };

  /** `GET /qr/actions/:id/qr/events`: the ticket as a stream. */
  events = async (request: ActionPageRequest): Promise<void> => {
    const { ctx } = request;
    if (ctx.method === 'HEAD') return answerHead(ctx, 'text/event-stream');
    await this.#ports.streams.open(ctx, this.#watch(request));
  };

  /**
   * `POST /qr/actions/:id/qr/finish`: confirms what the phone has approved, with the check code where it is demanded.
   */
  finish = async (form: ActionForm): Promise<void> => {
    const { ticket, changed } = await this.#redemption.redeem(form);
    if (ticket.state === 'redeemed') {
      if (changed) this.#ports.announce(form.ctx, 'qr_login.finished', ticket);
      // Do this for a repeated request as well, because the first one may have failed here.
      await this.#ports.enrolments.enrolApproved(form.ctx, ticket);
    }
    this.leave(form);
  };

  /** `POST /qr/actions/:id/cancel`: takes the action back. */
  cancel = async (form: ActionForm): Promise<void> => {
    const { ceremony, announce } = this.#ports;
    const outcome = await ceremony.browser.cancel(form.identity);
    if (outcome?.changed) announce(form.ctx, 'qr_login.cancelled', outcome.ticket);
    this.leave(form);
  };

  /**
   * Leads the browser on after the end of the action. Also the answer to `POST /qr/actions/:id/qr/renew`, which the
   * script of the page sends when the action has expired: an action gets no new ticket, so the requester must begin
   * another action.
   */
  leave = (form: ActionForm): void => {
    const { interaction, request } = form.ticket;
    follow(form, request.action.returnTo ?? this.#ports.urls.action(interaction));
  };

  #watch({ ctx, ticket, identity }: ActionPageRequest): TicketWatch {
    const { ceremony, signals } = this.#ports;
    const ports = { browser: ceremony.browser, signals };
    return new TicketWatch(ports, identity, { svg: wantsImage(ctx.query.svg), endsAt: ticket.endsAt });
  }

  /** Returns the address in the present code. */
  #codeUrl({ id }: ActionTicket): string {
    const { codes, urls, clock } = this.#ports;
    return urls.landing(codes.show(id, clock()).code);
  }
}

function describe(
  { request }: ActionTicket,
  self: string,
): Pick<Pages['action'], 'client' | 'title' | 'urls' | 'goOn'> {
  const { client, action } = request;
  const { title, returnTo } = action;
  const urls = { self, finish: `${self}/qr/finish`, renew: `${self}/qr/renew`, cancel: `${self}/cancel` };
  return { client, title, urls, ...(returnTo !== undefined && { goOn: returnTo }) };
}

/** Answers a HEAD as a GET would be answered, but shows no code and does not wait. */
function answerHead(ctx: Context, type: string): void {
  ctx.status = 200;
  ctx.type = type;
}
