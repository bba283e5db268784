import type { Context } from 'koa';
import { QrLoginError } from '../../ticket/errors.ts';
import { type Assess, type Judge, riskContext } from '../../ticket/risk.ts';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import { type Approver, deviceOf, isEnrolment, type Ticket } from '../../ticket/ticket.ts';
import {
  type ApproveGuard,
  type Challenge,
  noncesOf,
  ProofRefused,
  type ProofRequest,
} from '../hooks/approve-guard.ts';
import type { Cookies } from '../request/cookies.ts';
import type { DeviceDescriber } from '../request/device.ts';
import type { WrongCheckCodes } from '../request/wrong-check-codes.ts';

export interface ApprovalPorts {
  readonly keys: SecretKeys;
  readonly devices: DeviceDescriber;
  readonly wrongCheckCodes: Pick<WrongCheckCodes, 'assertNotPaused'>;
  readonly cookies: Pick<Cookies, 'shownAction'>;
  readonly settings: { readonly assess: Assess; readonly guard?: ApproveGuard | undefined };
}

/** The checks of an approval besides the tap: the deployment's assessment, and a proof if its guard asks for one. */
export class Approvals {
  readonly #ports: ApprovalPorts;

  constructor(ports: ApprovalPorts) {
    this.#ports = ports;
  }

  /**
   * Returns a function that assesses an approval: it asks the deployment's `assess`, which gets a description of the
   * phone at the time of the call. It throws TooManyRequests if the check code is demanded while the account gets no
   * check codes, because too many were wrong. The user then learns this on the phone.
   */
  makeJudge(ctx: Context): Judge {
    return async (ticket, approver, knownBy) => {
      const { devices, wrongCheckCodes, cookies, settings } = this.#ports;
      const context = riskContext(ticket, approver, await devices.describe(ctx), knownBy);
      const assessed = await settings.assess(context);
      // An enrolment always demands the check code, because the browser to enrol must be where its user is.
      const verdict = assessed === 'allow' && isEnrolment(ticket) ? 'check code' : assessed;
      const isDemanded = (verdict === 'check code' && !isDecidedHere(cookies, ctx, ticket)) || isTyped(ticket);
      if (isDemanded) await wrongCheckCodes.assertNotPaused(approver.accountId);
      return verdict;
    };
  }

  /** Returns the challenge of the confirm page; undefined if a tap is enough, or if the page has no Approve button. */
  async challenge(ticket: Ticket, approver: Approver): Promise<Challenge | undefined> {
    if (ticket.state !== 'scanned') return undefined;
    const challenge = await this.#ports.settings.guard?.challenge(this.#request(ticket, approver));
    return this.demandsPasskey(ticket) && !isPasskey(challenge) ? { unavailable: true } : challenge;
  }

  /**
   * Returns true if the guard must ask for a passkey: an enrolment outlasts the session, so a session does not suffice.
   */
  demandsPasskey(ticket: Ticket): boolean {
    return isEnrolment(ticket);
  }

  /**
   * Checks the answer to the challenge.
   * @returns the approver, with the methods that the answer has proven
   * @throws QrLoginError `proof_required`, `wrong_proof`
   */
  async prove(ticket: Ticket, approver: Approver, answer: string | undefined): Promise<Approver> {
    const { guard: approveGuard } = this.#ports.settings;
    const challenge = await this.challenge(ticket, approver);
    if (approveGuard === undefined || challenge === undefined) return approver;
    if (!answer || 'unavailable' in challenge) {
      throw new QrLoginError(
        'proof_required',
        'Approving takes more than a tap here: a passkey, or what the page asks.',
      );
    }
    try {
      const { amr } = await approveGuard.verify(this.#request(ticket, approver), answer);
      return { ...approver, amr: [...new Set([...(approver.amr ?? []), ...amr])] };
    } catch (cause) {
      if (!(cause instanceof ProofRefused)) throw cause;
      throw new QrLoginError('wrong_proof', 'That did not show that it is you. Try again.', { cause });
    }
  }

  #request({ id, request }: Ticket, approver: Approver): ProofRequest {
    const nonces = noncesOf(this.#ports.keys, 'approve', id, deviceOf(approver));
    return { accountId: approver.accountId, request, nonce: nonces[0] ?? '', nonces };
  }
}

function isPasskey(challenge: Challenge | undefined): boolean {
  return challenge !== undefined && 'passkey' in challenge;
}

/**
 * Returns true if the browser that sends the request also shows the action: its user decides on the same device, so
 * that no check code has to be typed. Returns false for an enrolment, which always demands the check code.
 */
export function isDecidedHere(
  cookies: Pick<Cookies, 'shownAction'>,
  ctx: Context,
  ticket: Ticket | undefined,
): boolean {
  return ticket !== undefined && !isEnrolment(ticket) && isShownHere(cookies, ctx, ticket);
}

/** Returns true if the browser that sends the request also shows the action. */
export function isShownHere(
  cookies: Pick<Cookies, 'shownAction'>,
  ctx: Context,
  { request, interaction }: Ticket,
): boolean {
  return request.action !== undefined && cookies.shownAction(ctx) === interaction;
}

/** Returns true if the short code was typed, so that the check code is always demanded. */
function isTyped(ticket: Ticket): boolean {
  return 'typed' in ticket && ticket.typed === true;
}
