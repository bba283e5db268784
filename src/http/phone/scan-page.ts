import type { RouterContext } from '@koa/router';
import { accountOf } from '../../oidc/approver.ts';
import { CODE_LENGTH } from '../../ticket/code.ts';
import { notFound, QrLoginError } from '../../ticket/errors.ts';
import type { Approver } from '../../ticket/ticket.ts';
import { fail } from '../errors.ts';
import { eventOf } from '../events/ticket-events.ts';
import { fieldsOf } from '../request/body.ts';
import { follow, wantsJson } from '../request/responses.ts';
import type { Services } from '../services.ts';
import { admit, asSubject } from './admission.ts';
import { Approvals } from './approval.ts';
import { checkCsrf, csrfFor, type FormUse } from './csrf.ts';
import type { Claims } from './phone-request.ts';
import { sendToSignIn } from './sign-in-redirect.ts';

/** More than a short code with all its spaces and dashes. */
const LONGEST = 24;

/**
 * The phone's own page to scan with, for one that is signed in: the camera, whose code leads to its landing page and no further; and
 * the short code, for people who cannot scan.
 */
export class ScanHandlers {
  readonly #services: Services;
  readonly #claims: Claims;
  readonly #approvals: Approvals;

  constructor(services: Services, claims: Claims) {
    this.#services = services;
    this.#claims = claims;
    this.#approvals = new Approvals(services);
  }

  /** `GET Q/scan`: the camera, and the form for the short code where the deployment allows that. */
  page = async (ctx: RouterContext): Promise<void> => {
    const { keys, urls, hooks } = this.#services;
    const approver = await this.#claims.session(ctx);
    if (approver === undefined) return sendToSignIn(ctx, hooks.signIn, { returnTo: urls.scan, fresh: false });
    ctx.state.accountId = approver.accountId;
    const { name: account } = await accountOf(hooks.findAccount, approver);
    if (wantsJson(ctx)) ctx.body = { account, csrf: csrfFor(keys, forPage(approver)) };
    else this.#render(ctx, approver);
  };

  /** `POST Q/scan`: the scan, by the short code that was typed. */
  type = async (ctx: RouterContext): Promise<void> => {
    const { provider, keys, hooks } = this.#services;
    if (!hooks.shortCode) throw notFound();
    const session = await this.#claims.session(ctx);
    const { approver } = await admit(this.#services, ctx, { approver: session, act: 'shortCode' });
    checkCsrf(ctx, keys, forPage(approver));
    try {
      await this.#scan(ctx, approver);
    } catch (error) {
      // A person who has mistyped tries again where they are.
      if (wantsJson(ctx) || !isUnknown(error)) throw error;
      fail(provider, ctx, error);
      this.#render(ctx, approver, fieldsOf(ctx).shortCode ?? '');
    }
  };

  /** `GET Q/manifest.webmanifest`: the same for everybody, as browsers ask for it without cookies. */
  manifest = (ctx: RouterContext): void => {
    const { urls, views } = this.#services;
    views.render(ctx, 'manifest', { start: urls.scan, scope: `${urls.base}/` });
    ctx.type = 'application/manifest+json';
  };

  async #scan(ctx: RouterContext, session: Approver): Promise<void> {
    const { provider, ceremony, announce, urls } = this.#services;
    const seen = await ceremony.phone.findTyped(fieldsOf(ctx).shortCode ?? '');
    const approver = await asSubject(provider, session, seen);
    const judge = this.#approvals.judge(ctx);
    const { ticket, changed } = await ceremony.phone.scan(seen.id, approver, {
      judge,
      seen: { ticket: seen },
      typed: true,
    });
    if (changed) announce(ctx, eventOf(ticket), ticket);
    follow(ctx, urls.ticket(ticket.id));
  }

  /** @param mistyped what was typed and leads nowhere */
  #render(ctx: RouterContext, approver: Approver, mistyped?: string): void {
    const { keys, urls, views, hooks } = this.#services;
    const typing = { csrf: csrfFor(keys, forPage(approver)), longest: LONGEST, mistyped: mistyped?.slice(0, LONGEST) };
    ctx.set('Permissions-Policy', 'camera=(self)');
    views.render(ctx, 'scan', {
      codes: { prefix: urls.absolute(urls.landing('')), length: CODE_LENGTH },
      manifest: urls.manifest,
      ...(hooks.shortCode && { typing }),
    });
  }
}

/** Nobody knows the ticket before it was typed. */
function forPage(approver: Approver): FormUse {
  return { approver, of: 'scan' };
}

function isUnknown(error: unknown): error is QrLoginError {
  return error instanceof QrLoginError && error.code === 'not_found';
}
