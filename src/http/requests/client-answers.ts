import type { Context } from 'koa';
import { denyRequest, type GivenAnswer, grantRequest } from '../../oidc/backchannel/authentication-answer.ts';
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
  readonly ceremony: { readonly requests: Pick<RequestActs, 'authReqIdOf' | 'claimAnswer' | 'close' | 'settle'> };
  readonly announce: Announce;
}

/** The data of `qr_login.unnotified`: a client did not accept its notification (CIBA Core 1.0, section 10.2). */
export interface UnnotifiedEvent {
  /** The name of the ticket in the events. */
  readonly ticket: string;
  readonly clientId: string;
  /** What went wrong, in English. */
  readonly problem: string;
}

/** The longest time that an answer takes, even if the client does not accept its notification, in milliseconds. */
const ANSWER_MS = 5_000;

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
    if (ticket.state === 'denied') await this.#deny(ctx, ticket);
    const settled = ticket.state === 'approved' ? await this.#grant(ctx, ticket) : ticket;
    await this.#ports.ceremony.requests.close(ticket);
    return settled;
  }

  /** Ends the access that a client got. */
  async takeBack(ctx: Context, ticket: Ticket): Promise<void> {
    if (ticket.state === 'redeemed' && ticket.grantId !== undefined)
      await revokeGrant(this.#ports.provider, ctx, ticket.grantId);
  }

  async #grant(ctx: Context, ticket: BackchannelTicket & ApprovedTicket): Promise<Ticket> {
    const { provider, ceremony, announce } = this.#ports;
    const { client, consent } = ticket.request;
    if (!(await ceremony.requests.claimAnswer(ticket, ANSWER_MS)))
      throw new QrLoginError('store_unavailable', 'The answer is just being given. Try again in a moment.');
    const approval = { user: ticket.approver, clientId: client.id, consent: consent ?? NO_CONSENT };
    const given = this.#told(ctx, ticket, await grantRequest(provider, this.#idOf(ticket), approval));
    if (given?.grantId === undefined) throw over('expired');
    const outcome = await ceremony.requests.settle(ticket, given.grantId);
    // Revoke the grant if the user has reported the request while the client got it.
    if (outcome?.ticket.state !== 'redeemed') await revokeGrant(provider, ctx, given.grantId);
    if (outcome?.changed) announce(ctx, 'qr_login.finished', outcome.ticket);
    return outcome?.ticket ?? ticket;
  }

  async #deny(ctx: Context, ticket: BackchannelTicket & DeniedTicket): Promise<void> {
    this.#told(ctx, ticket, await denyRequest(this.#ports.provider, this.#idOf(ticket), ticket.because));
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

  /** @throws QrLoginError `server_error` if the secrets have changed meanwhile */
  #idOf(ticket: BackchannelTicket): string {
    const id = this.#ports.ceremony.requests.authReqIdOf(ticket);
    if (id !== undefined) return id;
    throw new QrLoginError('server_error', 'The request was made with secrets that this server does not have.');
  }
}

const NO_CONSENT = { scopes: [], claims: [], resources: {} };
