import type { Context } from 'koa';
import { notFound } from '../../ticket/errors.ts';
import type { PhoneActs } from '../../ticket/phone.ts';
import { isBackchannel } from '../../ticket/requests/request-acts.ts';
import { isNamedAccount } from '../../ticket/requirements.ts';
import type { Approver, Ticket } from '../../ticket/ticket.ts';
import { type Announce, eventOf } from '../events/ticket-events.ts';
import type { AdmittedTicket, TicketPurpose, TicketRequest } from '../phone/admission.ts';
import type { Approvals } from '../phone/approval.ts';
import { phoneDeviceOf } from '../request/client-info.ts';
import type { ClientAnswers } from './client-answers.ts';

export interface RequestOpeningPorts {
  readonly ceremony: { readonly phone: Pick<PhoneActs, 'isRepeated' | 'scan'> };
  readonly approvals: Pick<Approvals, 'makeJudge'>;
  readonly clientAnswers: Pick<ClientAnswers, 'give'>;
  readonly announce: Announce;
}

/** Opens a request that waits for an account, for a page or an app. The opening takes the place of a scan. */
export class RequestOpening {
  readonly #ports: RequestOpeningPorts;

  constructor(ports: RequestOpeningPorts) {
    this.#ports = ports;
  }

  /** Returns the purpose of the act, for its admission. */
  purposeOf({ ticket, approver }: TicketRequest<Approver>): TicketPurpose {
    const isRepeated = this.#ports.ceremony.phone.isRepeated(ticket, approver, 'scan');
    return { act: 'scan', checksReport: true, isRepeated };
  }

  /**
   * Opens the request.
   * @returns the ticket, and true if this call has claimed it
   * @throws QrLoginError `not_found`
   */
  async open(ctx: Context, admitted: AdmittedTicket): Promise<{ readonly ticket: Ticket; readonly changed: boolean }> {
    const { ceremony, approvals, clientAnswers, announce } = this.#ports;
    const { approver, known } = admitted;
    const { id } = requireRequest(known.ticket, approver);
    const judge = approvals.makeJudge(ctx);
    const { ticket, changed } = await ceremony.phone.scan(id, approver, { judge, known, phone: phoneDeviceOf(ctx) });
    if (changed) announce(ctx, eventOf(ticket), ticket);
    // The assessment may have denied the ticket. Then the client gets its answer now.
    return { ticket: ticket.state === 'denied' ? await clientAnswers.give(ctx, ticket) : ticket, changed };
  }
}

/** Returns a ticket that an account may open without a scan. @throws QrLoginError `not_found` for any other one */
export function requireRequest(ticket: Ticket | undefined, approver: Approver): Ticket {
  if (ticket === undefined || !isBackchannel(ticket) || !isNamedAccount(ticket, approver)) throw notFound();
  return ticket;
}
