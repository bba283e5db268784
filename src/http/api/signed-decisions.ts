import { verifyDecision } from '../../oidc/apps/signed-decision.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { PhoneActs } from '../../ticket/phone.ts';
import type { Clock } from '../../ticket/ports.ts';
import type { Ticket } from '../../ticket/ticket.ts';
import { traceOf } from '../../ticket/ticket-id.ts';
import type { OnDecision } from '../hooks/app-hooks.ts';
import type { Decision } from '../phone/decisions.ts';
import type { SentStay } from '../phone/stay.ts';
import type { ApiRequest } from './api-request.ts';
import { describeAction, describeBackchannel, describeBrowser } from './app-view.ts';

export interface SignedDecisionPorts {
  readonly provider: { readonly issuer: string };
  readonly ceremony: { readonly phone: Pick<PhoneActs, 'isRepeated'> };
  readonly clock: Clock;
  readonly settings: { readonly signedDecisions: boolean; readonly onDecision: OnDecision };
}

/** A decision of an app as it was sent. */
export interface SentDecision extends Omit<Decision, 'duration'>, SentStay {
  readonly decision: string;
  /** The decision as a JWS. */
  readonly signature: string | undefined;
}

/** Verifies the decisions that apps have signed, and hands them to the deployment, which keeps them. */
export class SignedDecisions {
  readonly #ports: SignedDecisionPorts;

  constructor(ports: SignedDecisionPorts) {
    this.#ports = ports;
  }

  /**
   * Hands a signed decision to the deployment before it takes effect, so that there is no approval without its record.
   * A repeated decision is not recorded again.
   * @throws QrLoginError `invalid_request` if the signature is wrong, or missing where it is demanded; and the errors
   * of `onDecision`
   */
  async record({ ctx, approver, app }: ApiRequest, ticket: Ticket, sent: SentDecision): Promise<void> {
    const { provider, ceremony, clock, settings } = this.#ports;
    const { decision, remember, duration, signature } = sent;
    if (signature === undefined) {
      if (!settings.signedDecisions) return;
      throw new QrLoginError('invalid_request', 'This provider asks for signed decisions: send "signature".');
    }
    const { accountId, grant } = approver;
    const { id, request } = ticket;
    const expected = {
      aud: provider.issuer,
      ticket: id,
      decision,
      remember,
      duration,
      client: request.client.id,
      browser: describeBrowser(ticket),
      action: describeAction(ticket),
      backchannel: describeBackchannel(ticket),
    };
    const keys = { keyId: grant.keyId, registered: app.keys };
    const signed = await verifyDecision(signature, keys, expected, clock());
    if (isRepeatable(decision) && ceremony.phone.isRepeated(ticket, approver, decision)) return;
    const { client } = request;
    const { browser, action, backchannel } = expected;
    const decided = {
      ticket: traceOf(id),
      accountId,
      app: app.id,
      decision,
      remember,
      ...(duration !== undefined && { duration }),
      client,
      browser,
      ...(action && { action }),
      ...(backchannel && { backchannel }),
    };
    await settings.onDecision(ctx, { ...decided, ...signed, at: clock(), signature });
  }
}

function isRepeatable(decision: string): decision is 'approve' | 'deny' | 'unable' {
  return ['approve', 'deny', 'unable'].includes(decision);
}
