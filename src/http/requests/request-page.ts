import { accountOf, type FindAccount } from '../../oidc/approver.ts';
import { notFound, over } from '../../ticket/errors.ts';
import type { Clock } from '../../ticket/ports.ts';
import { isBackchannel } from '../../ticket/requests/request-acts.ts';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import { isOwner, stateAt } from '../../ticket/ticket.ts';
import { isTicketId } from '../../ticket/ticket-id.ts';
import type { SignIn } from '../hooks/hooks.ts';
import type { PageRenderer } from '../pages/renderer.ts';
import { admitToTicket, type TicketAdmissionPorts } from '../phone/admission.ts';
import { checkCsrfToken, makeCsrfToken } from '../phone/csrf.ts';
import type { PhoneForm, PhoneRequest } from '../phone/phone-request.ts';
import { markIfSentToSignIn, sendToSignIn } from '../phone/sign-in-redirect.ts';
import type { Cookies } from '../request/cookies.ts';
import { isForeign } from '../request/origin.ts';
import type { RateLimits } from '../request/rate-limits.ts';
import { follow, seeOther, wantsJson } from '../request/responses.ts';
import type { Urls } from '../request/urls.ts';
import { type RequestOpening, requireRequest } from './request-opening.ts';

export interface RequestPagePorts extends TicketAdmissionPorts {
  readonly requestOpening: RequestOpening;
  readonly cookies: Pick<Cookies, 'noteSentToSignIn' | 'ticketOfSignIn'>;
  readonly limits: Pick<RateLimits, 'forAccount'>;
  readonly renderer: PageRenderer;
  readonly urls: Urls;
  readonly keys: SecretKeys;
  readonly clock: Clock;
  readonly settings: { readonly findAccount: FindAccount; readonly signIn: SignIn };
}

/** The address in a notification: it leads to a request that waits for the account of the phone. */
export class RequestPageHandlers {
  readonly #ports: RequestPagePorts;

  constructor(ports: RequestPagePorts) {
    this.#ports = ports;
  }

  /** `GET /qr/requests/:id`: says that there is a request. Changes nothing, because link previews look as well. */
  page = async (request: PhoneRequest): Promise<void> => {
    const { cookies, keys, limits, renderer, urls, clock, settings } = this.#ports;
    const { ctx, approver } = request;
    const { id = '' } = ctx.params;
    if (approver === undefined) {
      // The sign-in page gets the address to return to, so the address must not hold arbitrary text.
      if (!isTicketId(id)) throw notFound();
      if (request.ticket !== undefined && isBackchannel(request.ticket)) cookies.noteSentToSignIn(ctx, id);
      return sendToSignIn(request, settings.signIn, { returnTo: urls.request(id), fresh: false });
    }
    const { name } = await accountOf(settings.findAccount, approver);
    await limits.forAccount('scan', approver.accountId);
    const ticket = requireRequest(request.ticket, approver);
    if (isOwner(ticket, approver)) return seeOther(ctx, urls.ticket(id));
    if (stateAt(ticket, clock()) === 'expired') throw over('expired');
    const csrf = makeCsrfToken(keys, { approver, target: id });
    if (wantsJson(request)) ctx.body = { account: name, csrf };
    // If a page of another site led here, the user must press the button.
    else renderer.render(ctx, 'request', { csrf, opensItself: !isForeign(ctx) }, ticket.request.locales);
  };

  /** `POST /qr/requests/:id`: opens the request on this phone. It may arrive twice: see docs/decisions/0005. */
  open = async (form: PhoneForm): Promise<void> => {
    const { requestOpening, cookies, keys, urls } = this.#ports;
    const { ctx } = form;
    const { id = '' } = ctx.params;
    const admitted = await admitToTicket(this.#ports, form, requestOpening.purposeOf(form));
    checkCsrfToken(form, keys, { approver: admitted.approver, target: id });
    const approver = markIfSentToSignIn(cookies, ctx, admitted.known.ticket, admitted.approver);
    await requestOpening.open(ctx, { ...admitted, approver });
    follow(form, urls.ticket(id));
  };
}
