import { makeResumeUrl } from '../../oidc/interaction.ts';
import { agreeToReplace, replacementOf } from '../../oidc/replacing.ts';
import { makeBrowserNote, toFinishedSignIn } from '../../oidc/resume/resumed.ts';
import { endWithError, signIn, signInDataOf } from '../../oidc/sign-in.ts';
import type { BrowserActs } from '../../ticket/browser.ts';
import { readBrowserKey } from '../../ticket/browsers/browser-key.ts';
import { findKnownBrowser } from '../../ticket/browsers/known-browser.ts';
import { markAccount } from '../../ticket/browsers/last-account.ts';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import type { SignInRevocation } from '../devices/revocation.ts';
import type { Cookies } from '../request/cookies.ts';
import { follow } from '../request/responses.ts';
import type { BrowserForm, PromptForm } from './browser-request.ts';
import { Redemption, type RedemptionPorts } from './redemption.ts';

export interface FinishPorts extends RedemptionPorts {
  readonly ceremony: { readonly browser: Pick<BrowserActs, 'finish' | 'cancel'> };
  readonly keys: SecretKeys;
  readonly cookies: Pick<Cookies, 'memory' | 'renewMemory'>;
  readonly revocation: Pick<SignInRevocation, 'keep' | 'isRevoked'>;
}

/** Ends an interaction: signs the browser in, or cancels. */
export class FinishHandlers {
  readonly #ports: FinishPorts;
  readonly #redemption: Redemption;

  constructor(ports: FinishPorts) {
    this.#ports = ports;
    this.#redemption = new Redemption(ports);
  }

  /** `POST /interaction/:uid/qr/finish`: signs the browser in with what the phone approved. */
  finish = async (form: PromptForm<'login'>): Promise<void> => {
    const { provider, keys, known, cookies, announce, revocation } = this.#ports;
    const { ctx, interaction, identity } = form;
    if (interaction.result !== undefined) return follow(form, await this.#goOn(form));
    const key = form.fields.key ? readBrowserKey(form.fields.key) : undefined;
    const { ticket, changed } = await this.#redemption.redeem(form);
    if (ticket.state === 'denied') {
      return follow(form, await endWithError(provider, ctx, ticket.because));
    }
    if (changed) announce(ctx, 'qr_login.finished', ticket);
    const { accountId } = ticket.approver;
    const [knownBrowser] = await Promise.all([
      findKnownBrowser(known, accountId, ticket.browser.knownAs),
      // Keep the sign-in before the result is written: after that, the browser can begin its session at any time.
      revocation.keep(accountId, toFinishedSignIn(ticket), ticket.endsAt),
    ]);
    const isKnown = knownBrowser !== undefined;
    const knownAs = cookies.renewMemory(ctx, (name) => markAccount(keys, name, accountId));
    // Take `knownAs` from the present cookie, not from the ticket, which has the cookie as it was when the code was
    // shown. If an answer was lost, the present cookie is newer.
    const browser = makeBrowserNote(ticket, { known: isKnown, knownAs, ...(key !== undefined && { key }) });
    const before = { replaces: identity.accountId, grantId: interaction.grantId };
    follow(form, await signIn(provider, ctx, { ...signInDataOf(ticket), ...before, browser }));
  };

  /** `POST /interaction/:uid/cancel`: ends the interaction with `access_denied`. */
  cancel = async (form: BrowserForm): Promise<void> => {
    const { provider, ceremony, announce } = this.#ports;
    const { ctx, interaction, identity } = form;
    const isAskedToSwitch = replacementOf(interaction, identity.accountId) !== undefined;
    if (interaction.result !== undefined && !isAskedToSwitch)
      return follow(form, makeResumeUrl(provider, interaction.returnTo));
    // If the question about the other account came up after finish, the ticket is redeemed already.
    const outcome = interaction.result === undefined ? await ceremony.browser.cancel(identity) : undefined;
    if (outcome?.changed) announce(ctx, 'qr_login.cancelled', outcome.ticket);
    const reason = interaction.prompt.name === 'consent' && !isAskedToSwitch ? 'consent' : 'browser';
    follow(form, await endWithError(provider, ctx, reason));
  };

  /**
   * Returns the next address for a sign-in that already has its result: the browser repeats a POST whose answer was
   * lost. Writing the result again could bring back an interaction that was resumed since, so only the user's
   * agreement to replace another account is stored.
   */
  async #goOn({ ctx, interaction, identity, fields }: BrowserForm): Promise<string> {
    const { provider } = this.#ports;
    const replacement = replacementOf(interaction, identity.accountId);
    const agrees = replacement !== undefined && fields.switchAccount === 'yes';
    return agrees ? agreeToReplace(provider, ctx, replacement) : makeResumeUrl(provider, interaction.returnTo);
  }
}
