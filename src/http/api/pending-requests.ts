import { QrLoginError } from '../../ticket/errors.ts';
import { type AdmissionPorts, admit, admitToTicket, type TicketAdmissionPorts } from '../phone/admission.ts';
import type { Urls } from '../request/urls.ts';
import type { PendingList } from '../requests/pending-list.ts';
import type { RequestOpening } from '../requests/request-opening.ts';
import type { ApiForm, ApiRequest } from './api-request.ts';
import type { AppViews } from './app-view.ts';

export interface ApiPendingPorts extends AdmissionPorts, TicketAdmissionPorts {
  readonly pendingList: PendingList;
  readonly requestOpening: RequestOpening;
  readonly appViews: AppViews;
  readonly urls: Urls;
}

/** Lists and opens the requests that wait for the app's account. */
export class ApiPendingHandlers {
  readonly #ports: ApiPendingPorts;

  constructor(ports: ApiPendingPorts) {
    this.#ports = ports;
  }

  /** `GET /qr/api/requests`: the list, the oldest first. */
  list = async (request: ApiRequest): Promise<void> => {
    const { approver } = await admit(this.#ports, request, 'decide');
    request.ctx.body = { requests: await this.#ports.pendingList.listFor(approver.accountId) };
  };

  /** `POST /qr/api/requests/:id`: opens one in this app. */
  open = async (form: ApiForm): Promise<void> => {
    const { requestOpening, appViews, urls } = this.#ports;
    const { ctx } = form;
    if (Object.keys(form.body).length > 0) throw new QrLoginError('invalid_request', 'Send an empty object.');
    const admitted = await admitToTicket(this.#ports, form, requestOpening.purposeOf(form));
    const { ticket, changed } = await requestOpening.open(ctx, admitted);
    ctx.status = changed ? 201 : 200;
    ctx.set('Location', urls.absolute(urls.apiTicket(ticket.id)));
    ctx.body = await appViews.show(ctx, ticket, admitted);
  };
}
