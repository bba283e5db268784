import { accountOf, type FindAccount } from '../../oidc/approver.ts';
import { notFound, QrLoginError } from '../../ticket/errors.ts';
import type { PhoneActs } from '../../ticket/phone.ts';
import type { Clock } from '../../ticket/ports.ts';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import type { AppLinks } from '../api/app-links.ts';
import { type Announce, eventOf } from '../events/ticket-events.ts';
import type { SignIn } from '../hooks/hooks.ts';
import type { PageRenderer } from '../pages/renderer.ts';
import { phoneDeviceOf } from '../request/client-info.ts';
import type { Cookies } from '../request/cookies.ts';
import type { Guard } from '../request/guard.ts';
import { isForeign, isOpenedByUser } from '../request/origin.ts';
import type { RateLimits } from '../request/rate-limits.ts';
import { follow, wantsJson } from '../request/responses.ts';
import type { Urls } from '../request/urls.ts';
import { admitToTicket, type TicketAdmissionPorts } from './admission.ts';
import type { Approvals } from './approval.ts';
import { checkCsrfToken, makeCsrfToken } from './csrf.ts';
import { codeIn, type PhoneForm, type PhoneRequest } from './phone-request.ts';
import { markIfSentToSignIn, sendToSignIn, wantedClasses } from './sign-in-redirect.ts';

export interface LandingPorts extends TicketAdmissionPorts {
  readonly ceremony: { readonly phone: PhoneActs };
  readonly approvals: Pick<Approvals, 'makeJudge'>;
  readonly announce: Announce;
  readonly cookies: Pick<Cookies, 'noteFreshCode' | 'hasFreshCode' | 'noteSentToSignIn' | 'ticketOfSignIn'>;
  readonly limits: Pick<RateLimits, 'forAccount'>;
  readonly appLinks: Pick<AppLinks, 'makeAppUrl'>;
  readonly renderer: PageRenderer;
  readonly urls: Urls;
  readonly keys: SecretKeys;
  readonly clock: Clock;
  readonly settings: { readonly findAccount: FindAccount; readonly signIn: SignIn };
}

/**
 * The requests of a phone for the URL in the code: the page that its camera opens, and the scan. The approver comes
 * from the phone's session alone.
 */
export class LandingHandlers {
  readonly #ports: LandingPorts;

  constructor(ports: LandingPorts) {
    this.#ports = ports;
  }

  /**
   * A guard that ensures that the code of the URL is on the screen now, or was when this phone opened it.
   * @throws QrLoginError `not_found`
   */
  requireFreshCode: Guard = ({ ctx }) => {
    const { ceremony, cookies, clock } = this.#ports;
    const code = codeIn(ctx);
    const { isOnScreen } = ceremony.phone.read(code);
    if (!isOnScreen && !cookies.hasFreshCode(ctx, code, clock())) throw notFound();
  };

  /**
   * A guard that does the same as {@link requireFreshCode}, and notes the code on the phone, which can then try again
   * with this code if a later step fails.
   */
  noteFreshCode: Guard = (request) => {
    const { cookies, clock } = this.#ports;
    const { ctx } = request;
    this.requireFreshCode(request);
    cookies.noteFreshCode(ctx, codeIn(ctx), clock());
  };

  /**
   * `GET /qr/:code`: the page that the camera opens. It does not claim the ticket, but the phone notes that the code
   * was fresh. If the phone has no session, the browser shows that a user is about to sign in on the phone
   * (docs/decisions/0067-someone-is-signing-in.md).
   */
  page = async (request: PhoneRequest): Promise<void> => {
    const { ceremony, keys, limits, urls, appLinks, renderer, settings } = this.#ports;
    const { ctx, approver } = request;
    const code = codeIn(ctx);
    const { id } = ceremony.phone.read(code);
    const openInApp = wantsJson(request) ? undefined : appLinks.makeAppUrl(code);
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
      // If the deployment has an app, the user chooses between the app and the browser.
      const scansItself = openInApp === undefined && !isForeign(ctx);
      renderer.render(ctx, 'landing', { csrf, scansItself, openInApp });
    }
  };

  /**
   * `POST /qr/:code`: the scan, which claims the ticket. It may arrive twice, because browsers send a POST again if its
   * answer was lost: see docs/decisions/0005.
   */
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

  async #sendToSignIn(request: PhoneRequest, code: string, ticketId: string): Promise<void> {
    const { ceremony, cookies, urls, settings } = this.#ports;
    const { ctx } = request;
    const returnTo = urls.landing(code);
    const ticket = await ceremony.phone.preview(ticketId);
    const isSigningIn = isOpenedByUser(ctx) && ceremony.phone.read(code).isOnScreen;
    if (ticket !== undefined && isSigningIn) await ceremony.phone.awaitSignIn(ticket).catch(ignoreEnded);
    cookies.noteSentToSignIn(ctx, ticketId);
    await sendToSignIn(request, settings.signIn, { returnTo, fresh: false, ...wantedClasses(ticket?.request) });
  }
}

/**
 * Ignores the error for a code that was renewed at this very moment: the user learns that after the sign-in.
 * @throws any other error
 */
function ignoreEnded(error: unknown): void {
  if (!(error instanceof QrLoginError && ['not_found', 'over'].includes(error.code))) throw error;
}
