import { accountOf, type FindAccount } from '../../oidc/approver.ts';
import type { Provider } from '../../oidc/provider.ts';
import { CODE_LENGTH } from '../../ticket/codes/code.ts';
import { notFound, QrLoginError } from '../../ticket/errors.ts';
import type { PhoneActs } from '../../ticket/phone.ts';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import type { SessionApprover } from '../../ticket/ticket.ts';
import { type Announce, eventOf } from '../events/ticket-events.ts';
import type { SignIn } from '../hooks/hooks.ts';
import type { PageRenderer } from '../pages/renderer.ts';
import { phoneDeviceOf, userAgentOf } from '../request/client-info.ts';
import type { Guard } from '../request/guard.ts';
import type { PluginRequest } from '../request/plugin-request.ts';
import type { RateLimits } from '../request/rate-limits.ts';
import { follow, seeOther, wantsJson } from '../request/responses.ts';
import type { Urls } from '../request/urls.ts';
import { admit, withSubject } from './admission.ts';
import type { Approvals } from './approval.ts';
import { checkCsrfToken, type FormUse, makeCsrfToken } from './csrf.ts';
import { findInAppBrowser } from './in-app-browser.ts';
import type { PhoneForm, PhoneRequest } from './phone-request.ts';
import { findSharedCode, readSharedTexts, SHARE_PARAMETERS } from './shared-code.ts';
import { sendToSignIn } from './sign-in-redirect.ts';

/** The longest text that the field takes, in characters: more than a short code with all its spaces and dashes. */
const LONGEST_INPUT = 24;

export interface ScanPorts {
  readonly provider: Provider;
  readonly ceremony: { readonly phone: Pick<PhoneActs, 'findTyped' | 'scan'> };
  readonly approvals: Approvals;
  readonly announce: Announce;
  readonly keys: SecretKeys;
  readonly urls: Urls;
  readonly limits: Pick<RateLimits, 'forAccount'>;
  readonly renderer: PageRenderer;
  /** Emits `qr_login.failed` and sets the status, for a refusal that this page shows by itself. */
  readonly fail: (request: PluginRequest, error: QrLoginError) => void;
  readonly settings: { readonly findAccount: FindAccount; readonly signIn: SignIn; readonly shortCode: boolean };
}

/**
 * The page with which a signed-in phone scans. Its camera only opens the landing page of a code, as a camera app does.
 * Users who cannot scan type the short code.
 */
export class ScanHandlers {
  readonly #ports: ScanPorts;

  constructor(ports: ScanPorts) {
    this.#ports = ports;
  }

  /**
   * `GET /qr/scan`: the camera, and the form for the short code if the deployment allows that. Also the target of
   * shares: a link that another app shares leads to the landing page of its code, as a scan does.
   */
  page = async (request: PhoneRequest): Promise<void> => {
    const { keys, urls, settings } = this.#ports;
    const { ctx, approver, failure } = request;
    const shared = readSharedTexts(ctx);
    const code = findSharedCode(shared, this.#prefix);
    if (code !== undefined) return seeOther(ctx, urls.landing(code));
    if (approver === undefined) return sendToSignIn(request, settings.signIn, { returnTo: urls.scan, fresh: false });
    failure.accountId = approver.accountId;
    const { name: account } = await accountOf(settings.findAccount, approver);
    if (wantsJson(request)) ctx.body = { account, csrf: makeCsrfToken(keys, formUse(approver)) };
    else this.#render(request, approver, { isShareForeign: shared.length > 0 });
  };

  /** A guard that ensures that the deployment allows short codes. @throws QrLoginError `not_found` */
  requireShortCodes: Guard = () => {
    if (!this.#ports.settings.shortCode) throw notFound();
  };

  /** `POST /qr/scan`: the scan, by the short code that was typed. */
  scanTyped = async (form: PhoneForm): Promise<void> => {
    const { keys } = this.#ports;
    const { approver } = await admit(this.#ports, form, 'shortCode');
    checkCsrfToken(form, keys, formUse(approver));
    try {
      await this.#scan(form, approver);
    } catch (error) {
      // After a typing mistake, the user tries again on the same page.
      if (wantsJson(form) || !isUnknown(error)) throw error;
      this.#ports.fail(form, error);
      this.#render(form, approver, { mistyped: form.fields.shortCode ?? '' });
    }
  };

  /** `GET /qr/manifest.webmanifest`: the same for every user, because browsers ask for it without cookies. */
  manifest = ({ ctx }: PluginRequest): void => {
    const { urls, renderer } = this.#ports;
    renderer.render(ctx, 'manifest', { start: urls.scan, scope: `${urls.base}/`, share: SHARE_PARAMETERS });
    ctx.type = 'application/manifest+json';
  };

  async #scan(form: PhoneForm, session: SessionApprover): Promise<void> {
    const { provider, ceremony, approvals, announce, urls } = this.#ports;
    const { ctx, fields } = form;
    const typed = await ceremony.phone.findTyped(fields.shortCode ?? '');
    const approver = await withSubject(provider, session, typed);
    const { ticket, changed } = await ceremony.phone.scan(typed.id, approver, {
      judge: approvals.makeJudge(ctx),
      known: { ticket: typed },
      typed: true,
      phone: phoneDeviceOf(ctx),
    });
    if (changed) announce(ctx, eventOf(ticket), ticket);
    follow(form, urls.ticket(ticket.id));
  }

  /** The beginning of the address in every code. */
  get #prefix(): string {
    const { urls } = this.#ports;
    return urls.absolute(urls.landing(''));
  }

  #render({ ctx }: PhoneRequest, approver: SessionApprover, { mistyped, isShareForeign = false }: Outcome): void {
    const { keys, urls, renderer, settings } = this.#ports;
    const typing = {
      csrf: makeCsrfToken(keys, formUse(approver)),
      longest: LONGEST_INPUT,
      mistyped: mistyped?.slice(0, LONGEST_INPUT),
    };
    ctx.set('Permissions-Policy', 'camera=(self)');
    renderer.render(ctx, 'scan', {
      codes: { prefix: this.#prefix, length: CODE_LENGTH },
      manifest: urls.manifest,
      inApp: findInAppBrowser(userAgentOf(ctx), urls.absolute(urls.scan)),
      isShareForeign,
      ...(settings.shortCode && { typing }),
    });
  }
}

/** The outcome of a request that leaves the user on the page. */
interface Outcome {
  /** The text that was typed, if it is no short code of a ticket. */
  readonly mistyped?: string;
  /** True if what another app has shared is no code of this provider. */
  readonly isShareForeign?: boolean;
}

/** The form is made for the page, because its ticket is not known before the user types the code. */
function formUse(approver: SessionApprover): FormUse {
  return { approver, target: 'scan' };
}

function isUnknown(error: unknown): error is QrLoginError {
  return error instanceof QrLoginError && error.code === 'not_found';
}
