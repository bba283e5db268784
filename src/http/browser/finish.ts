import type { RouterContext } from '@koa/router';
import { accountOf, assertSignedIn } from '../../oidc/approver.ts';
import { goingOn } from '../../oidc/interaction.ts';
import { agreeToReplace, replacementOf } from '../../oidc/replacing.ts';
import { subjectOf } from '../../oidc/requirements.ts';
import { browserNote } from '../../oidc/resumed.ts';
import { approvedOnPhone, refuse, signIn } from '../../oidc/sign-in.ts';
import type { BrowserActs, BrowserIdentity } from '../../ticket/browser.ts';
import { WrongCheckCode } from '../../ticket/check-code.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import { remember, remembers } from '../../ticket/memory.ts';
import type { ApprovedTicket } from '../../ticket/ticket.ts';
import { fieldsOf } from '../request/body.ts';
import { follow } from '../request/responses.ts';
import type { Services } from '../services.ts';
import { type BrowserRequest, findBrowserRequest, findLoginRequest } from './browser-request.ts';

/** How the browser brings its interaction to an end. */
export class FinishHandlers {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  /** `POST I/qr/finish`: signs the browser in with what the phone approved. */
  finish = async (ctx: RouterContext): Promise<void> => {
    const { provider, keys, cookies, announce } = this.#services;
    const { interaction, identity } = await findLoginRequest(this.#services, ctx);
    if (interaction.result !== undefined) return follow(ctx, await this.#goOn(ctx, { interaction, identity }));
    const { ticket, changed } = await this.#redeem(ctx, identity);
    if (ticket.state === 'denied') {
      return follow(ctx, await refuse(provider, ctx, ticket.because));
    }
    if (changed) announce(ctx, 'qr_login.finished', ticket);
    const { accountId } = ticket.approver;
    cookies.keepMemory(ctx, remember(keys, cookies.memory(ctx), accountId));
    // By what it brought along when the code was shown: an answer that got lost may have left its cookie.
    const browser = browserNote(ticket, remembers(keys, ticket.browser.memory, accountId));
    const before = { replaces: identity.accountId, grantId: interaction.grantId };
    follow(ctx, await signIn(provider, ctx, { ...approvedOnPhone(ticket), ...before, browser }));
  };

  /** `POST I/cancel`: ends the interaction with `access_denied`. */
  cancel = async (ctx: RouterContext): Promise<void> => {
    const { provider, ceremony, announce } = this.#services;
    const { interaction, identity } = await findBrowserRequest(this.#services, ctx);
    const isAsked = replacementOf(interaction, identity.accountId) !== undefined;
    if (interaction.result !== undefined && !isAsked) return follow(ctx, goingOn(provider, interaction.returnTo));
    // Whoever says no to the question that came up after finish has a ticket that was used.
    const outcome = interaction.result === undefined ? await ceremony.browser.cancel(identity) : undefined;
    if (outcome?.changed) announce(ctx, 'qr_login.cancelled', outcome.ticket);
    follow(ctx, await refuse(provider, ctx, 'browser'));
  };

  /**
   * Where a sign-in leads that has its result already, asked for again because an answer got lost: writing the result again could
   * bring back what was resumed since. Only the answer to a question that came up after it is noted.
   */
  async #goOn(ctx: RouterContext, { interaction, identity }: BrowserRequest): Promise<string> {
    const { provider } = this.#services;
    const replacement = replacementOf(interaction, identity.accountId);
    const agrees = replacement !== undefined && fieldsOf(ctx).switchAccount === 'yes';
    return agrees ? agreeToReplace(provider, ctx, replacement) : goingOn(provider, interaction.returnTo);
  }

  /** Whoever approved may have been disabled since, or signed out on the phone, or be somebody else to the client. */
  async #assertAccount({ approver, request }: ApprovedTicket): Promise<void> {
    const { provider, hooks } = this.#services;
    await Promise.all([accountOf(hooks.findAccount, approver), assertSignedIn(provider, approver)]);
    const { subject } = request.requirements;
    if (subject === undefined || subject === (await subjectOf(provider, request.client.id, approver.accountId))) return;
    throw new QrLoginError('wrong_account', 'This app asks for another account than the one that approved.');
  }

  async #redeem(ctx: RouterContext, identity: BrowserIdentity): ReturnType<BrowserActs['finish']> {
    const { ceremony, limits } = this.#services;
    try {
      const { checkCode, switchAccount } = fieldsOf(ctx);
      const said = { checkCode, switchAccount: switchAccount === 'yes' };
      return await ceremony.browser.finish(identity, said, {
        account: (ticket) => this.#assertAccount(ticket),
        tryCheckCode: ({ approver }) => limits.beforeCheckCode(approver.accountId),
      });
    } catch (error) {
      if (error instanceof WrongCheckCode) await this.#noteWrong(ctx, error);
      throw error;
    }
  }

  async #noteWrong(ctx: RouterContext, { accountId, ended }: WrongCheckCode): Promise<void> {
    const { announce, limits } = this.#services;
    ctx.state.accountId = accountId;
    if (ended) announce(ctx, 'qr_login.cancelled', ended);
    await limits.afterWrongCheckCode(accountId);
  }
}
