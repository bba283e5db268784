import { accountOf, assertSignedIn, type FindAccount } from '../../oidc/approver.ts';
import { makeResumeUrl } from '../../oidc/interaction.ts';
import type { Provider } from '../../oidc/provider.ts';
import { agreeToReplace, replacementOf } from '../../oidc/replacing.ts';
import { subjectOf } from '../../oidc/request/requirements.ts';
import { browserNote, finishedSignIn } from '../../oidc/resume/resumed.ts';
import { endWithError, signIn, signInDataOf } from '../../oidc/sign-in.ts';
import type { BrowserActs } from '../../ticket/browser.ts';
import { readBrowserKey } from '../../ticket/browsers/browser-key.ts';
import { holdsEvidence } from '../../ticket/browsers/evidence.ts';
import { findKnownBrowser, type KnownBrowsers } from '../../ticket/browsers/known-browser.ts';
import { markAccount } from '../../ticket/browsers/last-account.ts';
import { WrongCheckCode } from '../../ticket/codes/check-code.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import type { ApprovedTicket } from '../../ticket/ticket.ts';
import type { SignInRevocation } from '../devices/revocation.ts';
import type { Announce } from '../events/ticket-events.ts';
import { noteWrongTry } from '../events/wrong-number.ts';
import { sourceOf } from '../request/client-info.ts';
import type { Cookies } from '../request/cookies.ts';
import type { RateLimits } from '../request/rate-limits.ts';
import { follow } from '../request/responses.ts';
import type { WrongCheckCodes } from '../request/wrong-check-codes.ts';
import type { BrowserForm, PromptForm } from './browser-request.ts';

export interface FinishPorts {
  readonly provider: Provider;
  readonly ceremony: { readonly browser: Pick<BrowserActs, 'finish' | 'cancel'> };
  readonly keys: SecretKeys;
  readonly known: Pick<KnownBrowsers, 'list'>;
  readonly cookies: Pick<Cookies, 'memory' | 'renewMemory'>;
  readonly limits: Pick<RateLimits, 'beforeCheckCode' | 'afterWrongCheckCode'>;
  readonly wrongCheckCodes: Pick<WrongCheckCodes, 'assertNotPaused' | 'noteWrong' | 'noteRight'>;
  readonly announce: Announce;
  readonly revocation: Pick<SignInRevocation, 'keep' | 'isRevoked'>;
  readonly settings: { readonly findAccount: FindAccount };
}

/** The ends of an interaction: the browser is signed in, or it cancels. */
export class FinishHandlers {
  readonly #ports: FinishPorts;

  constructor(ports: FinishPorts) {
    this.#ports = ports;
  }

  /** `POST I/qr/finish`: signs the browser in with what the phone approved. */
  finish = async (form: PromptForm<'login'>): Promise<void> => {
    const { provider, keys, known, cookies, announce, revocation } = this.#ports;
    const { ctx, interaction, identity } = form;
    if (interaction.result !== undefined) return follow(form, await this.#goOn(form));
    const key = form.fields.key ? readBrowserKey(form.fields.key) : undefined;
    const { ticket, changed } = await this.#redeem(form);
    if (ticket.state === 'denied') {
      return follow(form, await endWithError(provider, ctx, ticket.because));
    }
    if (changed) announce(ctx, 'qr_login.finished', ticket);
    const { accountId } = ticket.approver;
    const isKnown = (await findKnownBrowser(known, accountId, ticket.browser.knownAs)) !== undefined;
    // Keep it before the result is written: after that, the browser can begin its session at any time.
    await revocation.keep(accountId, finishedSignIn(ticket), ticket.endsAt);
    const knownAs = cookies.renewMemory(ctx, (name) => markAccount(keys, name, accountId));
    // Use the memory as it was when the code was shown: if an answer was lost, the cookie is newer.
    const browser = browserNote(ticket, { known: isKnown, knownAs, ...(key !== undefined && { key }) });
    const before = { replaces: identity.accountId, grantId: interaction.grantId };
    follow(form, await signIn(provider, ctx, { ...signInDataOf(ticket), ...before, browser }));
  };

  /** `POST I/cancel`: ends the interaction with `access_denied`. */
  cancel = async (form: BrowserForm): Promise<void> => {
    const { provider, ceremony, announce } = this.#ports;
    const { ctx, interaction, identity } = form;
    const isAsked = replacementOf(interaction, identity.accountId) !== undefined;
    if (interaction.result !== undefined && !isAsked)
      return follow(form, makeResumeUrl(provider, interaction.returnTo));
    // If the question about the other account came up after finish, the ticket is redeemed already.
    const outcome = interaction.result === undefined ? await ceremony.browser.cancel(identity) : undefined;
    if (outcome?.changed) announce(ctx, 'qr_login.cancelled', outcome.ticket);
    const refuses = interaction.prompt.name === 'consent' && !isAsked ? 'consent' : 'browser';
    follow(form, await endWithError(provider, ctx, refuses));
  };

  /**
   * Returns the next address of a sign-in that has its result already, because the browser repeats a POST after its
   * answer was lost. Writing the result again could bring back an interaction that was resumed since, so only the
   * user's consent to replace another account is stored.
   */
  async #goOn({ ctx, interaction, identity, fields }: BrowserForm): Promise<string> {
    const { provider } = this.#ports;
    const replacement = replacementOf(interaction, identity.accountId);
    const agrees = replacement !== undefined && fields.switchAccount === 'yes';
    return agrees ? agreeToReplace(provider, ctx, replacement) : makeResumeUrl(provider, interaction.returnTo);
  }

  /**
   * Ensures that the approver's account and session still exist, that the account has not signed out all browsers
   * since, and that it is the subject that the request asks for.
   */
  async #assertAccount({ id, since, approver, request }: ApprovedTicket): Promise<void> {
    const { provider, revocation, settings } = this.#ports;
    const { accountId } = approver;
    const [isRevoked] = await Promise.all([
      revocation.isRevoked({ accountId, ticketId: id, approvedAt: since }),
      accountOf(settings.findAccount, approver),
      assertSignedIn(provider, approver),
    ]);
    if (isRevoked)
      throw new QrLoginError('account_unavailable', 'The account has signed out all browsers since.', {
        reason: 'signed-out',
      });
    const { subject } = request.requirements;
    if (subject === undefined || subject === (await subjectOf(provider, request.client.id, approver.accountId))) return;
    throw new QrLoginError('wrong_account', 'This app asks for another account than the one that approved.');
  }

  async #redeem(form: PromptForm<'login'>): ReturnType<BrowserActs['finish']> {
    const { ceremony, known, cookies, limits, wrongCheckCodes } = this.#ports;
    const { ctx, identity, fields } = form;
    const evidence = { source: sourceOf(ctx), knownAs: cookies.memory(ctx).knownAs, signature: fields.signature };
    try {
      const { checkCode, switchAccount } = fields;
      const input = { checkCode, switchAccount: switchAccount === 'yes' };
      let isTry = false;
      const outcome = await ceremony.browser.finish(identity, input, {
        account: (ticket) => this.#assertAccount(ticket),
        evidence: (ticket) => holdsEvidence(known, ticket, evidence),
        tryCheckCode: async ({ approver }) => {
          await Promise.all([
            limits.beforeCheckCode(approver.accountId),
            wrongCheckCodes.assertNotPaused(approver.accountId),
          ]);
          isTry = true;
        },
      });
      const { ticket, changed } = outcome;
      if (isTry && changed && ticket.state === 'redeemed') await wrongCheckCodes.noteRight(ticket.approver.accountId);
      return outcome;
    } catch (error) {
      if (error instanceof WrongCheckCode) await this.#noteWrong(form, error);
      throw error;
    }
  }

  async #noteWrong({ ctx, failure }: BrowserForm, error: WrongCheckCode): Promise<void> {
    failure.accountId = error.accountId;
    await noteWrongTry(this.#ports, ctx, error);
  }
}
