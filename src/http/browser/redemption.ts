import { accountOf, assertSignedIn, type FindAccount } from '../../oidc/approver.ts';
import type { Provider } from '../../oidc/provider.ts';
import { subjectOf } from '../../oidc/request/requirements.ts';
import type { BrowserActs, BrowserIdentity } from '../../ticket/browser.ts';
import { evidenceHolds } from '../../ticket/browsers/evidence.ts';
import type { KnownBrowsers } from '../../ticket/browsers/known-browser.ts';
import { WrongCheckCode } from '../../ticket/codes/check-code.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { ApprovedTicket } from '../../ticket/ticket.ts';
import type { Enrolments } from '../devices/enrolments.ts';
import type { SignInRevocation } from '../devices/revocation.ts';
import type { Announce } from '../events/ticket-events.ts';
import { noteWrongTry } from '../events/wrong-number.ts';
import type { Fields } from '../request/body.ts';
import { sourceOf } from '../request/client-info.ts';
import type { Cookies } from '../request/cookies.ts';
import type { PluginRequest } from '../request/plugin-request.ts';
import type { RateLimits } from '../request/rate-limits.ts';
import type { WrongCheckCodes } from '../request/wrong-check-codes.ts';

/** A POST of the browser that shows the ticket. */
export interface RedeemingForm extends PluginRequest {
  readonly identity: BrowserIdentity;
  readonly fields: Fields;
}

export interface RedemptionPorts {
  readonly provider: Provider;
  readonly ceremony: { readonly browser: Pick<BrowserActs, 'finish'> };
  readonly known: Pick<KnownBrowsers, 'list'>;
  readonly enrolments: Pick<Enrolments, 'assertEnrolled'>;
  readonly cookies: Pick<Cookies, 'memory'>;
  readonly limits: Pick<RateLimits, 'beforeCheckCode' | 'afterWrongCheckCode'>;
  readonly wrongCheckCodes: Pick<WrongCheckCodes, 'assertNotPaused' | 'noteWrong' | 'noteRight'>;
  readonly announce: Announce;
  readonly revocation: Pick<SignInRevocation, 'isRevoked'>;
  readonly settings: { readonly findAccount: FindAccount };
}

/**
 * Redeems what the phone has approved: with the check code where it is demanded. Otherwise it checks that the evidence
 * that spared the check code at Approve still holds: the browser's key, cookie or address ({@link evidenceHolds}).
 */
export class Redemption {
  readonly #ports: RedemptionPorts;

  constructor(ports: RedemptionPorts) {
    this.#ports = ports;
  }

  /**
   * Ensures that the approver's account and session still exist, that the account has not signed out all browsers since
   * the approval, and that the account is the subject that the request asks for.
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
      throw new QrLoginError('account_unavailable', 'The account has signed out all browsers since the approval.', {
        reason: 'signed-out',
      });
    const { subject } = request.requirements;
    if (subject === undefined || subject === (await subjectOf(provider, request.client.id, approver.accountId))) return;
    throw new QrLoginError('wrong_account', 'This app asks for another account than the one that approved.');
  }

  /** Redeems the ticket once. A repeated request gets the same answer. */
  async redeem(form: RedeemingForm): ReturnType<BrowserActs['finish']> {
    const { ceremony, enrolments, known, cookies, limits, wrongCheckCodes } = this.#ports;
    const { ctx, identity, fields } = form;
    const evidence = { source: sourceOf(ctx), knownAs: cookies.memory(ctx).knownAs, signature: fields.signature };
    try {
      const { checkCode, switchAccount } = fields;
      const input = { checkCode, switchAccount: switchAccount === 'yes' };
      let isTry = false;
      const outcome = await ceremony.browser.finish(identity, input, {
        account: async (ticket) => {
          await this.#assertAccount(ticket);
          await enrolments.assertEnrolled(ticket, fields.signature);
        },
        evidence: (ticket) => evidenceHolds(known, ticket, evidence),
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

  async #noteWrong({ ctx, failure }: RedeemingForm, error: WrongCheckCode): Promise<void> {
    failure.accountId = error.accountId;
    await noteWrongTry(this.#ports, ctx, error);
  }
}
