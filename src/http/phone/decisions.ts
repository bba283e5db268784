import type { Context } from 'koa';
import type { EndedSession } from '../../oidc/end-session.ts';
import type { Duration } from '../../ticket/browsers/duration.ts';
import { WrongNumber } from '../../ticket/codes/match-number.ts';
import { DecidedOtherwise, QrLoginError } from '../../ticket/errors.ts';
import type { PhoneActs } from '../../ticket/phone.ts';
import type { RepeatableAct } from '../../ticket/repeats.ts';
import type { Approver, Ticket } from '../../ticket/ticket.ts';
import type { Enrolments } from '../devices/enrolments.ts';
import type { SignInRevocation } from '../devices/revocation.ts';
import { type Announce, eventOf } from '../events/ticket-events.ts';
import { noteWrongTry, type WrongNumberPorts } from '../events/wrong-number.ts';
import type { RateLimits } from '../request/rate-limits.ts';
import type { WrongCheckCodes } from '../request/wrong-check-codes.ts';
import type { ClientAnswers } from '../requests/client-answers.ts';
import type { AdmittedTicket, TicketPurpose, TicketRequest } from './admission.ts';
import type { Approvals } from './approval.ts';

export interface DecisionPorts extends WrongNumberPorts {
  readonly ceremony: { readonly phone: PhoneActs };
  readonly approvals: Approvals;
  readonly announce: Announce;
  readonly enrolments: Pick<Enrolments, 'findEnrolledKey' | 'withdraw'>;
  readonly limits: Pick<RateLimits, 'beforeCheckCode' | 'afterWrongCheckCode'>;
  readonly wrongCheckCodes: Pick<WrongCheckCodes, 'assertNotPaused' | 'noteWrong' | 'noteRight'>;
  readonly revocation: Pick<SignInRevocation, 'find' | 'hasRevoked' | 'report' | 'revoke'>;
  readonly clientAnswers: Pick<ClientAnswers, 'give' | 'takeBack'>;
}

/** A decision as the phone has sent it. */
export interface Decision {
  /** `approve`, `deny` or `unable`; any other text is refused. */
  readonly decision: string | undefined;
  /** True if the browser stays signed in when it is closed. */
  readonly remember: boolean;
  /** The time that the user stays signed in, if the deployment offers several. */
  readonly duration?: Duration | undefined;
  /** The answer to the challenge of the deployment's guard. */
  readonly proof: string | undefined;
  /** The number that the user has tapped. */
  readonly match: string | undefined;
  /** True if the phone's own browser shows the action that is decided. Default: false. */
  readonly isSameDevice?: boolean;
}

/**
 * The result of a report: the ticket, or the sessions that were ended because the ticket is gone and its browser was
 * signed in.
 */
export type ReportOutcome =
  | { readonly ticket: Ticket; readonly ended?: undefined }
  | { readonly ticket?: undefined; readonly ended: readonly EndedSession[] };

const DECISIONS: ReadonlySet<string | undefined> = new Set<RepeatableAct>(['approve', 'deny', 'unable']);

/** The decisions of an approver about a ticket. The same rules hold on a page and in an app. */
export class Decisions {
  readonly #ports: DecisionPorts;

  constructor(ports: DecisionPorts) {
    this.#ports = ports;
  }

  /** Returns the purpose of a decision, for its admission. A repeated decision does not count for the rate limits. */
  purposeOf({ ticket, approver }: TicketRequest<Approver>, decision: string | undefined): TicketPurpose {
    return {
      act: 'decide',
      checksReport: decision === 'approve',
      isRepeated: isDecision(decision) && this.#ports.ceremony.phone.isRepeated(ticket, approver, decision),
    };
  }

  /**
   * Decides, and announces what has changed.
   * @throws QrLoginError `invalid_request` for an unknown decision, and the errors of the ceremony
   */
  async decide(ctx: Context, id: string, admitted: AdmittedTicket, input: Decision): Promise<Ticket> {
    const { ceremony, announce, enrolments, clientAnswers } = this.#ports;
    const { approver, known } = admitted;
    const { phone } = ceremony;
    const { ticket, changed } =
      input.decision === 'deny'
        ? await phone.deny(id, approver, known.ticket)
        : input.decision === 'unable'
          ? await phone.giveUp(id, approver, known.ticket, enrolments.findEnrolledKey)
          : await this.#approve(ctx, id, admitted, input).catch((error: unknown) => this.#endDenied(ctx, id, error));
    if (changed) announce(ctx, eventOf(ticket), ticket);
    return clientAnswers.give(ctx, ticket);
  }

  /** Reports a ticket, even if it has ended meanwhile, and ends the sign-in that came out of it. */
  async report(ctx: Context, id: string, { approver, known }: AdmittedTicket): Promise<ReportOutcome> {
    const { ceremony, announce, revocation, enrolments, clientAnswers } = this.#ports;
    const { accountId } = approver;
    const finished = known.ticket === undefined ? await revocation.find(accountId, id) : undefined;
    if (finished !== undefined) return { ended: await revocation.report(ctx, accountId, finished) };
    if (known.ticket === undefined && (await revocation.hasRevoked(accountId, id))) return { ended: [] };
    const { ticket, changed } = await ceremony.phone.report(id, approver, known.ticket);
    const ended = ticket.state === 'redeemed' ? await revocation.revoke(ctx, accountId, ticket.id) : [];
    // Withdraw only once the revocation is noted: an enrolment that is under way writes its record, and then looks for
    // this note.
    await enrolments.withdraw(ctx, ticket, accountId);
    await clientAnswers.takeBack(ctx, ticket);
    if (changed || ended.length > 0) announce(ctx, 'qr_login.reported', ticket);
    // A ticket that is still `approved` here has expired after Approve. Its client must not be granted anything now.
    return { ticket: ticket.state === 'approved' ? ticket : await clientAnswers.give(ctx, ticket) };
  }

  /** Returns true if this account has reported the sign-in after the browser had finished it. */
  async isTakenBack({ state, id }: Ticket, { accountId }: Approver): Promise<boolean> {
    return state === 'redeemed' && this.#ports.revocation.hasRevoked(accountId, id);
  }

  async #approve(
    ctx: Context,
    id: string,
    { approver, known }: AdmittedTicket,
    { decision, remember, duration, proof, match, isSameDevice = false }: Decision,
  ): ReturnType<PhoneActs['approve']> {
    const { ceremony, approvals, enrolments } = this.#ports;
    if (decision !== 'approve') {
      throw new QrLoginError('invalid_request', '"decision" is "approve", "deny", "report" or "unable".');
    }
    const ticket = await ceremony.phone.look(id, approver, known.ticket);
    if (await this.isTakenBack(ticket, approver)) throw new DecidedOtherwise('denied');
    const isTry = ticket.state === 'scanned' && ticket.match === true && match !== undefined;
    if (isTry) await this.#assertMayTry(approver);
    const proven = await this.#prove(ticket, approver, proof);
    const stay = { remember, duration };
    const { findEnrolledKey } = enrolments;
    const checks = { match, judge: approvals.makeJudge(ctx), findEnrolledKey, isSameDevice };
    try {
      const outcome = await ceremony.phone.approve(id, { approver: proven, ...stay, ...checks }, known);
      if (isTry && outcome.changed) await this.#ports.wrongCheckCodes.noteRight(approver.accountId);
      return outcome;
    } catch (error) {
      if (error instanceof WrongNumber) await noteWrongTry(this.#ports, ctx, error);
      throw error;
    }
  }

  /**
   * Takes back what a failed Approve gave to a client. If the report that followed could not take it back, the phone's
   * repetition of that Approve comes here.
   * @throws the error of the repetition
   */
  async #endDenied(ctx: Context, id: string, error: unknown): Promise<never> {
    const { ceremony, clientAnswers } = this.#ports;
    if (error instanceof DecidedOtherwise && error.state === 'denied') {
      const ticket = await ceremony.phone.preview(id);
      if (ticket?.state === 'denied') await clientAnswers.give(ctx, ticket);
    }
    throw error;
  }

  /**
   * Ensures that the account may tap a number, because wrong numbers count as wrong check codes.
   * @throws TooManyRequests
   */
  async #assertMayTry({ accountId }: Approver): Promise<void> {
    const { limits, wrongCheckCodes } = this.#ports;
    await Promise.all([limits.beforeCheckCode(accountId), wrongCheckCodes.assertNotPaused(accountId)]);
  }

  /**
   * Checks the answer to the challenge. The guard may refuse an answer that it has accepted before. So if another copy
   * of this request has approved meanwhile, the answer counts as right.
   */
  async #prove(ticket: Ticket, approver: Approver, proof: string | undefined): Promise<Approver> {
    const { ceremony, approvals } = this.#ports;
    try {
      return await approvals.prove(ticket, approver, proof);
    } catch (error) {
      const current = await ceremony.phone.preview(ticket.id);
      if (ceremony.phone.isRepeated(current, approver, 'approve')) return approver;
      throw error;
    }
  }
}

function isDecision(decision: string | undefined): decision is RepeatableAct {
  return DECISIONS.has(decision);
}
