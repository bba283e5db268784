import type { Context } from 'koa';
import {
  denyRequest,
  findAnswer,
  type GivenAnswer,
  grantRequest,
} from '../../oidc/backchannel/authentication-answer.ts';
import { callListener } from '../../oidc/call-listener.ts';
import { revokeGrant } from '../../oidc/end-session.ts';
import type { Provider } from '../../oidc/provider.ts';
import { over, QrLoginError } from '../../ticket/errors.ts';
import { type BackchannelTicket, isBackchannel, type RequestActs } from '../../ticket/requests/request-acts.ts';
import type { ApprovedTicket, DeniedTicket, Ticket } from '../../ticket/ticket.ts';
import { traceOf } from '../../ticket/ticket-id.ts';
import type { Announce } from '../events/ticket-events.ts';

export interface ClientAnswerPorts {
  readonly provider: Provider;
  readonly ceremony: {
    readonly requests: Pick<RequestActs, 'authReqIdOf' | 'claimAnswer' | 'close' | 'releaseAnswer' | 'settle'>;
  };
  readonly announce: Announce;
}

/** The data of `qr_login.unnotified`: a client did not accept its notification (CIBA Core 1.0, section 10.2). */
export interface UnnotifiedEvent {
  /** The name of the ticket in the events. */
  readonly ticket: string;
  readonly clientId: string;
  /** The problem, in English. */
  readonly problem: string;
}

/**
 * The time for which one call claims the right to answer, in milliseconds. It is longer than the requests to the stores
 * and a notification that fails can take. The claim is released once the answer is given, or has failed.
 */
const ANSWER_MS = 30_000;

/**
 * Answers the clients that ask without a browser (CIBA). No browser finishes such a request, so the node that receives
 * the phone's decision answers the client, before it answers the phone.
 */
export class ClientAnswers {
  readonly #ports: ClientAnswerPorts;

  constructor(ports: ClientAnswerPorts) {
    this.#ports = ports;
  }

  /**
   * Gives the client the answer that the user has decided on. May be repeated, if the first time has failed.
   * @returns the ticket after that; a ticket of any other kind is returned unchanged
   * @throws QrLoginError `over` if the request has expired meanwhile; `store_unavailable` if another call is giving the
   * answer at the moment
   */
  async give(ctx: Context, ticket: Ticket): Promise<Ticket> {
    if (!isBackchannel(ticket)) return ticket;
    const { requests } = this.#ports.ceremony;
    if (ticket.state === 'denied') {
      // The user has decided, also if the client cannot be answered.
      await this.#deny(ctx, ticket).finally(() => requests.close(ticket));
      return ticket;
    }
    const settled = ticket.state === 'approved' ? await this.#grant(ctx, ticket) : ticket;
    await requests.close(settled);
    return settled;
  }

  /** Ends the access that a client got, also if an Approve that failed halfway has given it. May be repeated. */
  async takeBack(ctx: Context, ticket: Ticket): Promise<void> {
    if (!isBackchannel(ticket)) return;
    const { provider, ceremony } = this.#ports;
    const authReqId = ceremony.requests.authReqIdOf(ticket);
    const given = authReqId === undefined ? undefined : await findAnswer(provider, authReqId);
    const noted = ticket.state === 'redeemed' ? ticket.grantId : undefined;
    for (const grantId of new Set([noted, given?.grantId]))
      if (grantId !== undefined) await revokeGrant(provider, ctx, grantId);
  }

  async #grant(ctx: Context, ticket: BackchannelTicket & ApprovedTicket): Promise<Ticket> {
    const { requests } = this.#ports.ceremony;
    if (!(await requests.claimAnswer(ticket, ANSWER_MS))) throw beingGiven();
    try {
      return await this.#grantClaimed(ctx, ticket);
    } finally {
      requests.releaseAnswer(ticket);
    }
  }

  async #grantClaimed(ctx: Context, ticket: BackchannelTicket & ApprovedTicket): Promise<Ticket> {
    const { provider, ceremony, announce } = this.#ports;
    const { client, consent } = ticket.request;
    const approval = { user: ticket.approver, clientId: client.id, consent: consent ?? NO_CONSENT };
    const given = this.#told(ctx, ticket, await grantRequest(provider, this.#idOf(ticket), approval));
    if (given?.grantId === undefined) throw over('expired');
    const outcome = await ceremony.requests.settle(ticket, given.grantId);
    const settled = outcome?.ticket;
    // If the ticket does not name this grant, the user has reported the request meanwhile, its time is up, or another
    // Approve has given a grant. A report finds only the grant that the ticket names, so the client must keep no other.
    const isNoted = settled?.state === 'redeemed' && settled.grantId === given.grantId;
    if (!isNoted) await revokeGrant(provider, ctx, given.grantId);
    if (outcome?.changed) announce(ctx, 'qr_login.finished', outcome.ticket);
    if (settled === undefined || settled.state === 'approved') throw over('expired');
    return settled;
  }

  /**
   * Denies the request. An Approve that has failed, or that still goes on, may have given the client a grant before the
   * user reported it: that is taken back.
   */
  async #deny(ctx: Context, ticket: BackchannelTicket & DeniedTicket): Promise<void> {
    const { provider, ceremony } = this.#ports;
    const authReqId = this.#idOf(ticket);
    const isClaimed = await ceremony.requests.claimAnswer(ticket, ANSWER_MS);
    try {
      const given = isClaimed
        ? this.#told(ctx, ticket, await denyRequest(provider, authReqId, ticket.because))
        : await findAnswer(provider, authReqId);
      if (given?.grantId !== undefined) await revokeGrant(provider, ctx, given.grantId);
      if (!isClaimed && given === undefined) throw beingGiven();
    } finally {
      if (isClaimed) ceremony.requests.releaseAnswer(ticket);
    }
  }

  /** Emits an event if a client did not accept its notification. It is no error for the user, who cannot change it. */
  #told(ctx: Context, { id, request }: Ticket, given: GivenAnswer | undefined): GivenAnswer | undefined {
    const { unnotified } = given ?? {};
    if (unnotified !== undefined) {
      const problem = unnotified instanceof Error ? unnotified.message : String(unnotified);
      const event: UnnotifiedEvent = { ticket: traceOf(id), clientId: request.client.id, problem };
      callListener(() => this.#ports.provider.emit('qr_login.unnotified', ctx, event));
    }
    return given;
  }

  /** Returns the `auth_req_id`. @throws QrLoginError `server_error` if the secrets have changed since the request */
  #idOf(ticket: BackchannelTicket): string {
    const id = this.#ports.ceremony.requests.authReqIdOf(ticket);
    if (id !== undefined) return id;
    // The log of an error shows its cause, so the cause has the same message.
    const cause = new Error('The request was made with secrets that this server does not have.');
    throw new QrLoginError('server_error', 'The request was made with secrets that this server does not have.', {
      cause,
    });
  }
}

function beingGiven(): QrLoginError {
  return new QrLoginError('store_unavailable', 'The answer is just being given. Try again in a moment.');
}

const NO_CONSENT = { scopes: [], claims: [], resources: {} };
