import type { Duration } from '../../ticket/browsers/duration.ts';
import { DecidedOtherwise } from '../../ticket/errors.ts';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import type { SessionApprover } from '../../ticket/ticket.ts';
import { answerSignOut, type SignOutAnswerPorts } from '../devices/sign-out-answer.ts';
import type { Cookies } from '../request/cookies.ts';
import { seeOther, wantsJson } from '../request/responses.ts';
import { type AdmittedTicket, admitToTicket, type TicketAdmissionPorts } from './admission.ts';
import { isDecidedHere } from './approval.ts';
import { checkCsrfToken } from './csrf.ts';
import type { Decisions } from './decisions.ts';
import type { PhoneForm } from './phone-request.ts';
import { readStay } from './stay.ts';
import { STATE_HEADER, type TicketPage } from './ticket-page.ts';

export interface DecisionFormPorts extends TicketAdmissionPorts, SignOutAnswerPorts {
  readonly decisions: Decisions;
  readonly ticketPage: Pick<TicketPage, 'showReported' | 'viewOf'>;
  readonly keys: SecretKeys;
  readonly cookies: SignOutAnswerPorts['cookies'] & Pick<Cookies, 'shownAction'>;
  readonly settings: TicketAdmissionPorts['settings'] & { readonly durations?: readonly Duration[] | undefined };
}

/**
 * The forms of the confirm page and of the done page, which approve, deny or report. Each may arrive twice, because
 * browsers send a POST again if its answer was lost: see docs/decisions/0005.
 */
export class DecisionFormHandlers {
  readonly #ports: DecisionFormPorts;

  constructor(ports: DecisionFormPorts) {
    this.#ports = ports;
  }

  /** `POST /qr/tickets/:id`: the decision. */
  decide = async (form: PhoneForm): Promise<void> => {
    const { decisions, ticketPage, cookies, keys, urls, settings } = this.#ports;
    const { ctx, fields, failure } = form;
    const { id = '' } = ctx.params;
    const { remember, duration, proof, match } = fields;
    // The form sends either a decision or, with `checkCodeEntry: 'tap'`, the number that the user tapped, which also
    // approves.
    const decision = fields.decision ?? (match === undefined ? undefined : 'approve');
    ctx.set(STATE_HEADER, 'refused');
    const admitted = await admitToTicket(this.#ports, form, decisions.purposeOf(form, decision));
    const { approver } = admitted;
    checkCsrfToken(form, keys, { approver, target: id });
    if (decision === 'report') return this.#report(form, id, admitted);
    const stay = readStay(settings.durations, { remember: remember === 'yes', duration });
    const input = { decision, ...stay, proof, match, isSameDevice: isDecidedHere(cookies, ctx, form.ticket) };
    const ticket = await decisions.decide(ctx, id, admitted, input).catch((error: unknown) => {
      if (error instanceof DecidedOtherwise) failure.back = urls.ticket(id);
      throw error;
    });
    if (wantsJson(form)) ctx.body = await ticketPage.viewOf(form, ticket, approver);
    else seeOther(ctx, urls.ticket(id));
  };

  /** Reports a ticket, even if it has ended meanwhile: the user must see that the report was understood. */
  async #report(form: PhoneForm, id: string, admitted: AdmittedTicket<SessionApprover>): Promise<void> {
    const { decisions, ticketPage, urls } = this.#ports;
    const { ctx } = form;
    const { ticket, ended } = await decisions.report(ctx, id, admitted);
    // The ticket is gone. The list of browsers shows that its browser is signed out.
    if (ticket === undefined) {
      const unreached = (await Promise.all(ended.map((session) => session.unreached))).flat();
      return answerSignOut(form, this.#ports, { ended: ended.length, unreached: new Set(unreached).size });
    }
    if (!wantsJson(form) && ticket.id === id && ticket.state === 'denied') return seeOther(ctx, urls.ticket(id));
    // The page of the ticket in the URL cannot show the report, so answer with the page of the reported ticket instead of
    // a redirect.
    await ticketPage.showReported(form, ticket, admitted.approver);
  }
}
