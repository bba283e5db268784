import type { RouterContext } from '@koa/router';
import { accountOf, approverOf } from '../oidc/approver.ts';
import { notFound, QrLoginError } from '../ticket/errors.ts';
import type { Approver } from '../ticket/ticket.ts';
import { admit, asSubject, notSignedIn } from './admission.ts';
import { follow, seeOther, wantsJson } from './answers.ts';
import { Approvals } from './approvals.ts';
import { checkCsrf, csrfFor, type FormUse } from './csrf.ts';
import { fail } from './errors.ts';
import { eventOf } from './events.ts';
import { fieldsOf } from './guards.ts';
import type { Services } from './services.ts';

/** More than a short code with all its spaces and dashes. */
const LONGEST = 24;

/** The phone's page for people who cannot scan: they type the short code. */
export class TypingHandlers {
  readonly #services: Services;
  readonly #approvals: Approvals;

  constructor(services: Services) {
    this.#services = services;
    this.#approvals = new Approvals(services);
  }

  /** `GET Q/scan`: the form. */
  page = async (ctx: RouterContext): Promise<void> => {
    const { provider, urls, hooks } = this.#services;
    if (!hooks.shortCode) throw notFound();
    const approver = await approverOf(provider, ctx, hooks.assurance);
    if (approver === undefined) return this.#sendToSignIn(ctx, urls.scan);
    const { name } = await accountOf(hooks.findAccount, approver);
    if (wantsJson(ctx)) ctx.body = { account: name, csrf: csrfFor(this.#services.keys, forPage(approver)) };
    else this.#render(ctx, approver);
  };

  /** `POST Q/scan`: the scan, by what was typed. */
  type = async (ctx: RouterContext): Promise<void> => {
    const { provider, keys, hooks } = this.#services;
    if (!hooks.shortCode) throw notFound();
    const session = await approverOf(provider, ctx, hooks.assurance);
    const approver = await admit(this.#services, ctx, { approver: session, act: 'shortCode' });
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

  async #scan(ctx: RouterContext, session: Approver): Promise<void> {
    const { provider, ceremony, announce, urls } = this.#services;
    const seen = await ceremony.phone.findTyped(fieldsOf(ctx).shortCode ?? '');
    const approver = await asSubject(provider, session, seen);
    const { ticket, changed } = await ceremony.phone.scan(seen.id, approver, {
      judge: this.#approvals.judge(ctx),
      seen,
      typed: true,
    });
    if (changed) announce(ctx, eventOf(ticket), ticket);
    follow(ctx, urls.ticket(ticket.id));
  }

  async #sendToSignIn(ctx: RouterContext, returnTo: string): Promise<void> {
    const url = wantsJson(ctx) ? undefined : await this.#services.hooks.signIn(ctx, { returnTo, fresh: false });
    if (url === undefined) throw notSignedIn();
    seeOther(ctx, url);
  }

  /** @param mistyped what was typed and leads nowhere */
  #render(ctx: RouterContext, approver: Approver, mistyped?: string): void {
    const { keys, views } = this.#services;
    const page = { csrf: csrfFor(keys, forPage(approver)), longest: LONGEST };
    views.render(ctx, 'scan', { ...page, mistyped: mistyped?.slice(0, LONGEST) });
  }
}

/** Nobody knows the ticket before it was typed. */
function forPage(approver: Approver): FormUse {
  return { approver, of: 'scan' };
}

function isUnknown(error: unknown): error is QrLoginError {
  return error instanceof QrLoginError && error.code === 'not_found';
}
