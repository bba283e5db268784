import type { Provider } from '../../oidc/provider.ts';
import { over, type QrLoginError, scannedElsewhere } from '../../ticket/errors.ts';
import type { PhoneActs } from '../../ticket/phone.ts';
import { ownerOf, type SessionApprover, stateAt, type Ticket } from '../../ticket/ticket.ts';
import { endedError } from '../../ticket/transitions.ts';
import type { PhoneView } from '../pages/page-data.ts';
import type { PageRenderer } from '../pages/renderer.ts';
import type { RateLimits } from '../request/rate-limits.ts';
import { wantsJson } from '../request/responses.ts';
import { parseVersion } from '../streams/version.ts';
import { versionAt } from '../ticket-view/browser-view.ts';
import { admit, admitToTicket, withSubject } from './admission.ts';
import type { Decisions } from './decisions.ts';
import type { Followers } from './followers.ts';
import type { PhoneRequest } from './phone-request.ts';
import { makePhoneView, type PhoneViewPorts } from './phone-view.ts';

export interface TicketPagePorts extends PhoneViewPorts {
  readonly provider: Provider;
  readonly ceremony: { readonly phone: PhoneActs };
  readonly decisions: Pick<Decisions, 'isTakenBack'>;
  readonly followers: Followers;
  readonly limits: Pick<RateLimits, 'forAccount'>;
  readonly renderer: PageRenderer;
}

/** The header by which the scripts of the pages tell our answers from those of a captive portal. */
export const STATE_HEADER = 'Qr-Login-State';

/** The page of a ticket that this phone has scanned: before the decision, after it, and while it waits for news. */
export class TicketPage {
  readonly #ports: TicketPagePorts;

  constructor(ports: TicketPagePorts) {
    this.#ports = ports;
  }

  /**
   * `GET /qr/tickets/:id`: the confirm page; once decided, the done page. With `?after=<version>`, it waits for a
   * change.
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
   * Answers a page that waits for its ticket to change: with the page that the phone shows next, also if the ticket has
   * ended, or with 204 if nothing has changed within the longest wait.
   */
  async #follow(request: PhoneRequest, known: number): Promise<void> {
    const { provider, ceremony, followers, limits, renderer, clock } = this.#ports;
    const { ctx, failure } = request;
    ctx.set(STATE_HEADER, 'refused');
    const { approver: session } = await admit(this.#ports, request, undefined);
    const before = ceremony.phone.assertOwned(request.ticket, session);
    // A request that does not have to wait counts as a look at the ticket.
    if (versionAt(before, clock()) !== known) await limits.forAccount('decide', session.accountId);
    const current = await followers.next(ctx, before, session, known);
    const now = clock();
    const end = current === undefined ? await this.#lossOf(before, session) : endOf(current, now);
    if (current !== undefined) ctx.set(STATE_HEADER, current.state);
    if (current !== undefined && versionAt(current, now) === known) {
      ctx.status = 204;
      return;
    }
    if (current !== undefined && end === undefined)
      return this.#show(request, current, await withSubject(provider, session, current));
    const { code, reason } = end ?? over('expired');
    ctx.set(STATE_HEADER, reason ?? 'over');
    if (wantsJson(request)) throw end;
    const { accountId: _, ...links } = failure;
    renderer.render(ctx, 'error', { code, reason, ...links }, before.request.locales);
  }

  /**
   * Returns the error for a ticket that this phone does not have any more: it is gone, or another device of the account
   * has opened the request.
   */
  async #lossOf({ id }: Ticket, { accountId }: SessionApprover): Promise<QrLoginError> {
    const ticket = await this.#ports.ceremony.phone.preview(id);
    const owner = ticket && ownerOf(ticket);
    return owner?.accountId === accountId ? scannedElsewhere() : over('expired');
  }

  /** Shows the ticket: before its decision on the confirm page, and then on the done page. */
  async #show(request: PhoneRequest, ticket: Ticket, approver: SessionApprover): Promise<void> {
    const { ctx } = request;
    const view = await this.viewOf(request, ticket, approver);
    ctx.set(STATE_HEADER, view.state);
    if (wantsJson(request)) ctx.body = view;
    else
      this.#ports.renderer.render(ctx, ticket.state === 'scanned' ? 'confirm' : 'done', view, ticket.request.locales);
  }

  /** Shows a ticket that was reported, even if it has ended. */
  async showReported(request: PhoneRequest, ticket: Ticket, approver: SessionApprover): Promise<void> {
    const { ctx } = request;
    const view = asReported(await makePhoneView(this.#ports, request, ticket, approver));
    ctx.set(STATE_HEADER, view.state);
    if (wantsJson(request)) ctx.body = view;
    else this.#ports.renderer.render(ctx, 'done', view, ticket.request.locales);
  }

  /** Returns the ticket as its approver sees it, even after a report that has ended the sign-in. */
  async viewOf(request: PhoneRequest, ticket: Ticket, approver: SessionApprover): Promise<PhoneView> {
    const view = await makePhoneView(this.#ports, request, ticket, approver);
    return (await this.#ports.decisions.isTakenBack(ticket, approver)) ? asReported(view) : view;
  }
}

/** Returns the error that tells a phone how its ticket has ended; undefined if it is live, decided or redeemed. */
function endOf(ticket: Ticket, now: number): QrLoginError | undefined {
  const state = stateAt(ticket, now);
  return state === 'cancelled' || state === 'expired' ? endedError(ticket, now) : undefined;
}

/** Returns the view after a report, for any state in which the ticket has ended. */
function asReported({ naming, ...view }: PhoneView): PhoneView {
  return { ...view, state: 'denied', because: 'report', hadFinished: view.state === 'redeemed' };
}
