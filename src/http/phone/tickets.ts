import { accountOf } from '../../oidc/approver.ts';
import type { Provider } from '../../oidc/provider.ts';
import { DecidedOtherwise, notFound, over, QrLoginError } from '../../ticket/errors.ts';
import type { PhoneActs } from '../../ticket/phone.ts';
import { type SessionApprover, stateAt, type Ticket } from '../../ticket/ticket.ts';
import { ended } from '../../ticket/transitions.ts';
import type { AppLinks } from '../api/app-links.ts';
import { answerSignOut } from '../devices/sign-out-answer.ts';
import { type Announce, eventOf } from '../events/ticket-events.ts';
import type { PhoneView } from '../pages/page-data.ts';
import type { PageRenderer } from '../pages/renderer.ts';
import { phoneDeviceOf } from '../request/client-info.ts';
import type { Cookies } from '../request/cookies.ts';
import type { Guard } from '../request/guard.ts';
import { isForeign, isOpenedByUser } from '../request/origin.ts';
import type { RateLimits } from '../request/rate-limits.ts';
import { follow, seeOther, wantsJson } from '../request/responses.ts';
import { parseVersion } from '../streams/version.ts';
import { versionAt } from '../ticket-view/browser-view.ts';
import { type AdmittedTicket, admit, admitToTicket, asSubject } from './admission.ts';
import { checkCsrfToken, makeCsrfToken } from './csrf.ts';
import type { Decisions } from './decisions.ts';
import type { Followers } from './followers.ts';
import { codeIn, type PhoneForm, type PhoneRequest } from './phone-request.ts';
import { makePhoneView, type PhoneViewPorts } from './phone-view.ts';
import { markIfSentToSignIn, sendToSignIn, wantedClasses } from './sign-in-redirect.ts';
import { readStay } from './stay.ts';

export interface TicketPorts extends PhoneViewPorts {
  readonly decisions: Decisions;
  readonly followers: Followers;
  readonly provider: Provider;
  readonly ceremony: { readonly phone: PhoneActs };
  readonly announce: Announce;
  readonly cookies: Pick<
    Cookies,
    | 'noteFreshCode'
    | 'lastFreshCode'
    | 'hasFreshCode'
    | 'noteOffer'
    | 'offer'
    | 'noteSentToSignIn'
    | 'ticketOfSignIn'
    | 'noteSignOut'
  >;
  readonly limits: Pick<RateLimits, 'forAccount'>;
  readonly appLinks: Pick<AppLinks, 'open'>;
  readonly renderer: PageRenderer;
}

/**
 * The requests of the phone for one ticket. The approver comes from the phone's session alone. Each request may arrive
 * twice, because browsers send a POST again if its answer was lost: see docs/decisions/0005.
 */
export class TicketHandlers {
  readonly #ports: TicketPorts;

  constructor(ports: TicketPorts) {
    this.#ports = ports;
  }

  /**
   * A guard: ensures that the code of the URL is on the screen now, or was when this phone scanned it.
   * @throws QrLoginError `not_found`
   */
  requireFreshCode: Guard = ({ ctx }) => {
    const { ceremony, cookies, clock } = this.#ports;
    const code = codeIn(ctx);
    const { isOnScreen } = ceremony.phone.read(code);
    if (!isOnScreen && !cookies.hasFreshCode(ctx, code, clock())) throw notFound();
  };

  /**
   * A guard: does the same, and notes it on the phone, which can then try again with this code if a later step fails.
   */
  noteFreshCode: Guard = (request) => {
    const { cookies, clock } = this.#ports;
    const { ctx } = request;
    this.requireFreshCode(request);
    cookies.noteFreshCode(ctx, codeIn(ctx), clock());
  };

  /**
   * `GET Q/:code`: the page that the camera opens. It changes nothing, except that the phone notes that the code was
   * fresh, and that the browser shows that a phone without a session is about to sign in
   * (docs/decisions/0067-someone-is-signing-in.md).
   */
  landing = async (request: PhoneRequest): Promise<void> => {
    const { ceremony, keys, limits, urls, appLinks, renderer, settings } = this.#ports;
    const { ctx, approver } = request;
    const code = codeIn(ctx);
    const { id } = ceremony.phone.read(code);
    const openInApp = wantsJson(request) ? undefined : appLinks.open(code);
    if (approver === undefined) {
      if (openInApp === undefined || ctx.query.here === 'yes') return this.#sendToSignIn(request, code, id);
      const page = { scansItself: false, openInApp, signIn: `${urls.landing(code)}?here=yes` };
      return renderer.render(ctx, 'landing', page);
    }
    const { name } = await accountOf(settings.findAccount, approver);
    await limits.forAccount('scan', approver.accountId);
    const csrf = makeCsrfToken(keys, { approver, target: id });
    if (wantsJson(request)) ctx.body = { account: name, csrf };
    // If a page of another site led here, the user must press the button.
    else {
      // With an app, the user chooses where to go on.
      const scansItself = openInApp === undefined && !isForeign(ctx);
      renderer.render(ctx, 'landing', { csrf, scansItself, openInApp });
    }
  };

  /** `POST Q/:code`: the scan, which claims the ticket. */
  scan = async (form: PhoneForm): Promise<void> => {
    const { ceremony, approvals, announce, cookies, keys, urls } = this.#ports;
    const { ctx } = form;
    const { id } = ceremony.phone.read(codeIn(ctx));
    const isRepeated = ceremony.phone.isRepeated(form.ticket, form.approver, 'scan');
    const { approver, known } = await admitToTicket(this.#ports, form, { act: 'scan', checksReport: true, isRepeated });
    checkCsrfToken(form, keys, { approver, target: id });
    const current = markIfSentToSignIn(cookies, ctx, known.ticket, approver);
    const { ticket, changed } = await ceremony.phone.scan(id, current, {
      judge: approvals.makeJudge(ctx),
      known,
      phone: phoneDeviceOf(ctx),
    });
    if (changed) announce(ctx, eventOf(ticket), ticket);
    follow(form, urls.ticket(id));
  };

  /**
   * `GET Q/tickets/:id`: the confirm page; once decided, the done page. With `?after=<version>`, it waits for a change.
   */
  show = async (request: PhoneRequest): Promise<void> => {
    const { ceremony } = this.#ports;
    const { ctx } = request;
    const { id = '' } = ctx.params;
    const known = parseVersion('after', ctx.query.after);
    if (known !== undefined && ctx.method !== 'HEAD') return this.#follow(request, known);
    const { approver, known: read } = await admitToTicket(this.#ports, request, { act: 'decide' });
    await this.#show(request, await ceremony.phone.look(id, approver, read.ticket), approver);
  };

  /**
   * Answers a page when its ticket has changed: with the page that the phone shows next, also after the ticket has
   * ended, or with 204 if the longest wait has passed without news.
   */
  async #follow(request: PhoneRequest, known: number): Promise<void> {
    const { provider, ceremony, followers, limits, renderer, clock } = this.#ports;
    const { ctx, failure } = request;
    ctx.set(STATE_HEADER, 'refused');
    const { approver: session } = await admit(this.#ports, request, undefined);
    const before = ceremony.phone.assertOwned(request.ticket, session);
    // A request that is answered at once is a look, not a wait.
    if (versionAt(before, clock()) !== known) await limits.forAccount('decide', session.accountId);
    const current = await followers.next(ctx, before, session, known);
    const now = clock();
    const end = current === undefined ? over('expired') : endOf(current, now);
    if (current !== undefined) ctx.set(STATE_HEADER, current.state);
    if (current !== undefined && versionAt(current, now) === known) {
      ctx.status = 204;
      return;
    }
    if (current !== undefined && end === undefined)
      return this.#show(request, current, await asSubject(provider, session, current));
    const { code, reason } = end ?? over('expired');
    ctx.set(STATE_HEADER, reason ?? 'over');
    if (wantsJson(request)) throw end;
    const { accountId: _, ...links } = failure;
    renderer.render(ctx, 'error', { code, reason, ...links }, before.request.locales);
  }

  /** Shows the ticket: before its decision on the confirm page, and then on the done page. */
  async #show(request: PhoneRequest, ticket: Ticket, approver: SessionApprover): Promise<void> {
    const { ctx } = request;
    const view = await this.#view(request, ticket, approver);
    ctx.set(STATE_HEADER, view.state);
    if (wantsJson(request)) ctx.body = view;
    else
      this.#ports.renderer.render(ctx, ticket.state === 'scanned' ? 'confirm' : 'done', view, ticket.request.locales);
  }

  /** `POST Q/tickets/:id`: the decision. */
  decide = async (form: PhoneForm): Promise<void> => {
    const { keys, urls } = this.#ports;
    const { ctx, fields, failure } = form;
    const { id = '' } = ctx.params;
    const { decision, remember, duration, proof } = fields;
    ctx.set(STATE_HEADER, 'refused');
    const admitted = await admitToTicket(this.#ports, form, this.#ports.decisions.purposeOf(form, decision));
    const { approver } = admitted;
    checkCsrfToken(form, keys, { approver, target: id });
    if (decision === 'report') return this.#report(form, id, admitted);
    const stay = readStay(this.#ports.settings.durations, { remember: remember === 'yes', duration });
    const input = { decision, ...stay, proof };
    const ticket = await this.#ports.decisions.decide(ctx, id, admitted, input).catch((error: unknown) => {
      if (error instanceof DecidedOtherwise) failure.back = urls.ticket(id);
      throw error;
    });
    if (wantsJson(form)) ctx.body = await this.#view(form, ticket, approver);
    else seeOther(ctx, urls.ticket(id));
  };

  /** Reports a ticket, also one that has ended meanwhile: the user sees that the report was understood. */
  async #report(form: PhoneForm, id: string, admitted: AdmittedTicket<SessionApprover>): Promise<void> {
    const { urls, renderer } = this.#ports;
    const { ctx } = form;
    const { ticket, ended } = await this.#ports.decisions.report(ctx, id, admitted);
    // The ticket is gone. The list of browsers shows that its browser is signed out.
    if (ticket === undefined) {
      const unreached = (await Promise.all(ended.map((session) => session.unreached))).flat();
      return answerSignOut(form, this.#ports, { ended: ended.length, unreached: new Set(unreached).size });
    }
    if (!wantsJson(form) && ticket.id === id && ticket.state === 'denied') return seeOther(ctx, urls.ticket(id));
    // The ticket of the URL has no page any more, so the answer is the page.
    const view = asReported(await makePhoneView(this.#ports, form, ticket, admitted.approver));
    ctx.set(STATE_HEADER, view.state);
    if (wantsJson(form)) ctx.body = view;
    else renderer.render(ctx, 'done', view, ticket.request.locales);
  }

  /** Returns the ticket as its approver sees it, also after a report that has ended what came out of it. */
  async #view(request: PhoneRequest, ticket: Ticket, approver: SessionApprover): Promise<PhoneView> {
    const view = await makePhoneView(this.#ports, request, ticket, approver);
    return (await this.#ports.decisions.isTakenBack(ticket, approver)) ? asReported(view) : view;
  }

  async #sendToSignIn(request: PhoneRequest, code: string, ticketId: string): Promise<void> {
    const { ceremony, cookies, urls, settings } = this.#ports;
    const { ctx } = request;
    const returnTo = urls.landing(code);
    const ticket = await ceremony.phone.preview(ticketId);
    const isSigningIn = isOpenedByUser(ctx) && ceremony.phone.read(code).isOnScreen;
    if (ticket !== undefined && isSigningIn) await ceremony.phone.awaitSignIn(ticket).catch(unlessEnded);
    cookies.noteSentToSignIn(ctx, ticketId);
    await sendToSignIn(request, settings.signIn, { returnTo, fresh: false, ...wantedClasses(ticket?.request) });
  }
}

/** The code was renewed at this very moment: the user learns it after the sign-in. @throws any other error */
function unlessEnded(error: unknown): void {
  if (!(error instanceof QrLoginError && ['not_found', 'over'].includes(error.code))) throw error;
}

/** The header by which the scripts of the pages tell our answers from those of a captive portal. */
const STATE_HEADER = 'Qr-Login-State';

/** Returns the error that tells a phone how its ticket has ended; undefined if the ticket is live, decided or used. */
function endOf(ticket: Ticket, now: number): QrLoginError | undefined {
  const state = stateAt(ticket, now);
  return state === 'cancelled' || state === 'expired' ? ended(ticket, now) : undefined;
}

/** Returns the view after a report, for any state in which the ticket has ended. */
function asReported({ naming, ...view }: PhoneView): PhoneView {
  return { ...view, state: 'denied', because: 'report', hadFinished: view.state === 'redeemed' };
}
