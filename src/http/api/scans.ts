import type { Provider } from '../../oidc/provider.ts';
import { notFound, QrLoginError } from '../../ticket/errors.ts';
import type { PhoneActs } from '../../ticket/phone.ts';
import { isNamedAccount } from '../../ticket/requirements.ts';
import type { GrantApprover, Ticket } from '../../ticket/ticket.ts';
import { type Announce, eventOf } from '../events/ticket-events.ts';
import { type AdmittedTicket, admitToTicket, type TicketAdmissionPorts, withSubject } from '../phone/admission.ts';
import type { Approvals } from '../phone/approval.ts';
import type { JsonObject } from '../request/body.ts';
import { phoneDeviceOf } from '../request/client-info.ts';
import type { Guard } from '../request/guard.ts';
import type { RateLimits } from '../request/rate-limits.ts';
import type { Urls } from '../request/urls.ts';
import type { ApiForm } from './api-request.ts';
import type { AppViews } from './app-view.ts';

export interface ApiScanPorts extends TicketAdmissionPorts {
  readonly provider: Provider;
  readonly ceremony: { readonly phone: PhoneActs };
  readonly approvals: Approvals;
  readonly appViews: AppViews;
  readonly announce: Announce;
  readonly urls: Urls;
  readonly limits: Pick<RateLimits, 'forAccount' | 'byAddress'>;
  readonly settings: TicketAdmissionPorts['settings'] & { readonly shortCode: boolean };
}

/** The result of a scan: the ticket, and the approver who was admitted to it. */
interface Scan {
  readonly ticket: Ticket;
  readonly changed: boolean;
  readonly admitted: AdmittedTicket<GrantApprover>;
}

/** `POST /qr/api/scans`: claims the ticket of a code for the app. */
export class ApiScanHandlers {
  readonly #ports: ApiScanPorts;
  readonly #countShortCode: Guard;

  constructor(ports: ApiScanPorts) {
    this.#ports = ports;
    this.#countShortCode = ports.limits.byAddress('shortCode');
  }

  /** Returns the id of the ticket whose code a body has. The code is not verified yet. */
  ticketIdIn = ({ code }: JsonObject): string | undefined =>
    typeof code === 'string' ? this.#ports.ceremony.phone.idOf(code.trim().replace(/^.*\//s, '')) : undefined;

  scan = async (form: ApiForm): Promise<void> => {
    const { announce, appViews, urls } = this.#ports;
    const { ctx, body } = form;
    const { code, shortCode, actions = false, ...others } = body;
    const hasOneCode = (code === undefined) !== (shortCode === undefined);
    const isRight = hasOneCode && isTextOrAbsent(code) && isTextOrAbsent(shortCode) && typeof actions === 'boolean';
    if (!isRight || Object.keys(others).length > 0)
      throw new QrLoginError('invalid_request', 'Send { "code": "…" } or { "shortCode": "…" }.');
    const { ticket, changed, admitted } =
      code === undefined
        ? await this.#scanTyped(form, `${shortCode}`, actions)
        : await this.#scanCode(form, code, actions);
    if (changed) announce(ctx, eventOf(ticket), ticket);
    ctx.status = changed ? 201 : 200;
    ctx.set('Location', urls.absolute(urls.apiTicket(ticket.id)));
    ctx.body = await appViews.show(ctx, ticket, admitted);
  };

  /** Scans the code for the app. @param showsActions true if the app shows the texts of actions */
  async #scanCode(form: ApiForm, text: string, showsActions: boolean): Promise<Scan> {
    const { ceremony, approvals } = this.#ports;
    const { phone } = ceremony;
    const { id, isOnScreen } = phone.read(this.#codeIn(text));
    // Only the ticket of the verified code counts.
    const request = { ...form, ticket: form.ticket?.id === id ? form.ticket : undefined };
    const isRepeated = phone.isRepeated(request.ticket, form.approver, 'scan');
    const admitted = await admitToTicket(this.#ports, request, { act: 'scan', checksReport: true, isRepeated });
    // A repeated scan may have a code that has rotated since, because the answer to the first scan may have been lost.
    if (!isOnScreen && !isRepeated) throw notFound();
    const { approver, known } = admitted;
    assertShowable(request.ticket, approver, showsActions);
    const outcome = await phone.scan(id, approver, {
      judge: approvals.makeJudge(form.ctx),
      known,
      phone: phoneDeviceOf(form.ctx),
    });
    return { ...outcome, admitted };
  }

  async #scanTyped(form: ApiForm, shortCode: string, showsActions: boolean): Promise<Scan> {
    const { provider, ceremony, approvals, settings } = this.#ports;
    if (!settings.shortCode)
      throw new QrLoginError('invalid_request', 'Short codes are not offered here. Scan the code.');
    await this.#countShortCode(form);
    const { approver: before, account } = await admitToTicket(this.#ports, { ...form, ticket: undefined }, SHORT_CODE);
    const ticket = await ceremony.phone.findTyped(shortCode);
    const approver = await withSubject(provider, before, ticket);
    assertShowable(ticket, approver, showsActions);
    const known = { ticket };
    const judge = approvals.makeJudge(form.ctx);
    const outcome = await ceremony.phone.scan(ticket.id, approver, {
      judge,
      known,
      typed: true,
      phone: phoneDeviceOf(form.ctx),
    });
    return { ...outcome, admitted: { approver, account, known } };
  }

  /**
   * Returns the code in a text that an app has scanned: the whole address, or only the part after its last slash. Some
   * scanners append a line break.
   * @throws QrLoginError `invalid_request` for an address of another site, which is no code of this provider
   */
  #codeIn(text: string): string {
    const { urls } = this.#ports;
    const prefix = urls.absolute(urls.landing(''));
    const code = text.trim();
    if (code.startsWith(prefix)) return code.slice(prefix.length);
    if (/^[\w-]*$/.test(code)) return code;
    throw new QrLoginError('invalid_request', `This is no code of ${prefix}.`);
  }
}

/**
 * Ensures that an app that does not know actions does not approve one as a sign-in. To an account that the action does
 * not name, the action stays unknown.
 */
function assertShowable(ticket: Ticket | undefined, approver: GrantApprover, showsActions: boolean): void {
  if (showsActions || ticket?.request.action === undefined || !isNamedAccount(ticket, approver)) return;
  throw new QrLoginError(
    'invalid_request',
    'This code asks for an action. An app that shows the texts of actions sends "actions": true.',
  );
}

const SHORT_CODE = { act: 'shortCode' } as const;

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}
