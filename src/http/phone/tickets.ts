import type { RouterContext } from '@koa/router';
import { accountOf } from '../../oidc/approver.ts';
import { notFound, QrLoginError } from '../../ticket/errors.ts';
import { isDuringRequest } from '../../ticket/requirements.ts';
import type { Approver, SignInRequest, Ticket, Unmet } from '../../ticket/ticket.ts';
import { eventOf } from '../events/ticket-events.ts';
import type { PhoneSignIn } from '../hooks/hooks.ts';
import type { PhoneView } from '../pages/page-data.ts';
import { fieldsOf } from '../request/body.ts';
import { isForeign } from '../request/origin.ts';
import { follow, seconds, seeOther, wantsJson } from '../request/responses.ts';
import type { Urls } from '../request/urls.ts';
import type { Services } from '../services.ts';
import { Approvals } from './approval.ts';
import { checkCsrf, csrfFor } from './csrf.ts';
import type { Claim, Claims } from './phone-request.ts';
import { sendToSignIn } from './sign-in-redirect.ts';

/** What the phone asks for. Who decides comes from its session alone. */
export class PhoneHandlers {
  readonly #services: Services;
  readonly #claims: Claims;
  readonly #approvals: Approvals;

  constructor(services: Services, claims: Claims) {
    this.#services = services;
    this.#claims = claims;
    this.#approvals = new Approvals(services);
  }

  /** `GET Q/:code`: where the camera lands. Nothing changes but a note on the phone that the code was fresh. */
  landing = async (ctx: RouterContext): Promise<void> => {
    const { cookies, clock, keys, limits, urls, views, hooks } = this.#services;
    const { code = '' } = ctx.params;
    const id = this.#freshId(ctx, code);
    cookies.seen(ctx, code, clock());
    const approver = await this.#claims.session(ctx);
    if (approver === undefined) return this.#sendToSignIn(ctx, id, urls.landing(code));
    const { name } = await accountOf(hooks.findAccount, approver);
    await limits.forAccount('scan', approver.accountId);
    const csrf = csrfFor(keys, { approver, of: id });
    if (wantsJson(ctx)) ctx.body = { account: name, csrf };
    // A page of another site that leads here does not scan: the person does.
    else views.render(ctx, 'landing', { csrf, scansItself: !isForeign(ctx) });
  };

  /** `POST Q/:code`: the scan, which claims the ticket. */
  scan = async (ctx: RouterContext): Promise<void> => {
    const { ceremony, announce, keys, urls } = this.#services;
    const id = this.#freshId(ctx, ctx.params.code ?? '');
    const { approver, seen } = await this.#claims.of(ctx, 'scan', { isJudged: true });
    checkCsrf(ctx, keys, { approver, of: id });
    const { ticket, changed } = await ceremony.phone.scan(id, approver, { judge: this.#approvals.judge(ctx), seen });
    if (changed) announce(ctx, eventOf(ticket), ticket);
    follow(ctx, urls.ticket(id));
  };

  /** `GET Q/tickets/:id`: the confirm page; once decided, the done page. */
  ticket = async (ctx: RouterContext): Promise<void> => {
    const { ceremony, views } = this.#services;
    const { id = '' } = ctx.params;
    const { approver, seen } = await this.#claims.of(ctx, 'decide');
    const ticket = await ceremony.phone.look(id, approver, seen.ticket);
    const view = await this.#view(ctx, ticket, approver);
    if (wantsJson(ctx)) ctx.body = view;
    else views.render(ctx, ticket.state === 'scanned' ? 'confirm' : 'done', view, ticket.request.locales);
  };

  /** `POST Q/tickets/:id`: the decision. */
  decide = async (ctx: RouterContext): Promise<void> => {
    const { announce, keys, urls } = this.#services;
    const { id = '' } = ctx.params;
    const { decision } = fieldsOf(ctx);
    const { approver, seen } = await this.#claims.of(ctx, 'decide', { isJudged: decision === 'approve' });
    checkCsrf(ctx, keys, { approver, of: id });
    if (decision === 'report') return this.#report(ctx, id, { approver, seen });
    const ticket = await this.#decide(ctx, id, { approver, seen });
    announce(ctx, eventOf(ticket), ticket);
    if (wantsJson(ctx)) ctx.body = await this.#view(ctx, ticket, approver);
    else seeOther(ctx, urls.ticket(id));
  };

  /** Also of a ticket that has ended meanwhile: the person has said it, and hears that it was understood. */
  async #report(ctx: RouterContext, id: string, { approver, seen }: Claim): Promise<void> {
    const { ceremony, announce, urls, views } = this.#services;
    const { ticket, changed } = await ceremony.phone.report(id, approver, seen.ticket);
    if (changed) announce(ctx, 'qr_login.reported', ticket);
    // Where there is nothing of it to be looked at any more, this is the page.
    if (!wantsJson(ctx) && ticket.id === id && ticket.state === 'denied') return seeOther(ctx, urls.ticket(id));
    const view = { ...(await this.#view(ctx, ticket, approver)), state: 'denied', because: 'report' } as const;
    if (wantsJson(ctx)) ctx.body = view;
    else views.render(ctx, 'done', view, ticket.request.locales);
  }

  async #decide(ctx: RouterContext, id: string, { approver, seen }: Claim): Promise<Ticket> {
    const { ceremony } = this.#services;
    const { decision, remember, proof } = fieldsOf(ctx);
    if (decision === 'deny') return ceremony.phone.deny(id, approver, seen.ticket);
    if (decision === 'unable') return ceremony.phone.giveUp(id, approver, seen.ticket);
    if (decision !== 'approve') {
      throw new QrLoginError('invalid_request', '"decision" is "approve", "deny", "report" or "unable".');
    }
    const proven = await this.#approvals.prove(await ceremony.phone.look(id, approver, seen.ticket), approver, proof);
    return ceremony.phone.approve(
      id,
      { approver: proven, remember: remember === 'yes', judge: this.#approvals.judge(ctx) },
      seen,
    );
  }

  /** The id in a code that is on the screen now, or was when this phone scanned it. */
  #freshId(ctx: RouterContext, code: string): string {
    const { ceremony, cookies, clock } = this.#services;
    const { id, fresh } = ceremony.phone.read(code);
    if (!fresh && !cookies.hasSeen(ctx, code, clock())) throw notFound();
    return id;
  }

  async #sendToSignIn(ctx: RouterContext, ticketId: string, returnTo: string): Promise<void> {
    const { ceremony, hooks } = this.#services;
    const ticket = await ceremony.phone.preview(ticketId);
    await sendToSignIn(ctx, hooks.signIn, { returnTo, fresh: false, ...wantedClasses(ticket?.request) });
  }

  /** Where the phone can meet a requirement; undefined where it was just there for it, or the deployment knows no way. */
  async #signInFor(ctx: RouterContext, unmet: Unmet, ticket: Ticket, approver: Approver): Promise<string | undefined> {
    const { ceremony, hooks, urls, cookies } = this.#services;
    const { loginHint } = ticket.request;
    const classes = wantedClasses(ticket.request);
    if (unmet === 'acr' && ctx.query.tried === 'acr' && isDuringRequest(ticket, approver)) return undefined;
    if (unmet === 'account') {
      // Another account has another session, which must scan the code itself.
      const code = cookies.seenCode(ctx);
      const isThisOne = code !== undefined && ceremony.phone.read(code).id === ticket.id;
      const returnTo = isThisOne ? urls.landing(code) : comeBack(ticket, urls);
      return hooks.signIn(ctx, { returnTo, fresh: true, ...classes, ...(loginHint !== undefined && { loginHint }) });
    }
    const returnTo = urls.ticket(ticket.id) + (unmet === 'acr' ? '?tried=acr' : '');
    return hooks.signIn(ctx, { returnTo, fresh: true, accountId: approver.accountId, ...classes });
  }

  async #view(ctx: RouterContext, ticket: Ticket, approver: Approver): Promise<PhoneView> {
    const { ceremony, clock, keys, hooks } = this.#services;
    const { client, scopes, consent } = ticket.request;
    const { name, system, place } = ticket.browser;
    const checkCode = ceremony.phone.checkCode(ticket, approver);
    const unmet = ceremony.phone.unmet(ticket, approver);
    const signInAgain = unmet && (await this.#signInFor(ctx, unmet, ticket, approver));
    const challenge = unmet ? undefined : await this.#approvals.challenge(ticket, approver);
    return {
      state: ticket.state,
      expiresIn: seconds(ticket.deadline - clock()),
      client,
      scopes,
      claims: consent?.listed ? consent.claims : [],
      resources: consent?.listed ? consent.resources : {},
      browser: {
        ...(name !== undefined && { name }),
        ...(system !== undefined && { system }),
        ...(place !== undefined && { place }),
      },
      shownAgo: Math.floor(seconds(clock() - ticket.shownAt)),
      account: (await accountOf(hooks.findAccount, approver)).name,
      csrf: csrfFor(keys, { approver, of: ticket.id }),
      ...(unmet !== undefined && { unmet }),
      ...(signInAgain !== undefined && { signInAgain }),
      ...(challenge !== undefined && { challenge }),
      ...(checkCode !== undefined && { checkCode }),
      ...(ticket.state === 'denied' && { because: ticket.because }),
    };
  }
}

/** Where another account begins that has no code: what was typed once is typed again. */
function comeBack(ticket: Ticket, urls: Urls): string {
  return ticket.state === 'scanned' && ticket.typed ? urls.scan : urls.ticket(ticket.id);
}

/** The classes that a sign-in on the phone should be of: those that are demanded, else those that are wished for. */
function wantedClasses(request: SignInRequest | undefined): Pick<PhoneSignIn, 'acrValues'> {
  const { essentialAcr, acrValues } = request?.requirements ?? {};
  const classes = essentialAcr ?? acrValues;
  return classes === undefined ? {} : { acrValues: classes };
}
