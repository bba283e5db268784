import type { Duration } from '../../ticket/browsers/duration.ts';
import { notFound, QrLoginError } from '../../ticket/errors.ts';
import type { Place } from '../../ticket/ticket.ts';
import type { BrowserLists } from '../devices/browser-lists.ts';
import type { BrowserEntry } from '../pages/page-data.ts';
import { type AdmissionPorts, admit } from '../phone/admission.ts';
import { readDuration } from '../phone/stay.ts';
import type { ApiForm, ApiRequest } from './api-request.ts';

/** A browser that the account is signed in to, as an app gets it. */
export interface AppBrowser {
  /** The identifier to sign the browser out. */
  readonly id: string;
  /** The name that its user has given it. */
  readonly label?: string;
  readonly name?: string;
  readonly system?: string;
  readonly place?: Place;
  /** The seconds since the sign-in, and the seconds since a client last requested a sign-in there. */
  readonly signedInAgo: number;
  readonly lastUsedAgo: number;
  readonly signedInBy: BrowserEntry['signedInBy'];
  /** The time that the user has chosen to stay signed in, if there was a choice. */
  readonly duration?: Duration;
  /** Seconds until the session ends if it is not used again. */
  readonly endsIn: number;
  /** True for the session in which the app was granted its access. */
  readonly isHere: boolean;
  readonly clients: BrowserEntry['clients'];
}

export interface ApiBrowserPorts extends AdmissionPorts {
  readonly browserLists: BrowserLists;
  readonly settings: AdmissionPorts['settings'] & { readonly durations?: readonly Duration[] | undefined };
}

/** The browsers that the app's account is signed in to. */
export class ApiBrowserHandlers {
  readonly #ports: ApiBrowserPorts;

  constructor(ports: ApiBrowserPorts) {
    this.#ports = ports;
  }

  /** `GET /qr/api/browsers`: the list, the most recently used first. */
  list = async (request: ApiRequest): Promise<void> => {
    const { approver } = await admit(this.#ports, request, 'decide');
    const { browserLists } = this.#ports;
    const durations = browserLists.offeredDurations(approver);
    const entries = await browserLists.listSignedIn(approver);
    request.ctx.body = { browsers: entries.map(toAppBrowser), ...(durations && { durations }) };
  };

  /** `POST /qr/api/browsers/:browser`: changes how long one browser stays signed in. */
  change = async (form: ApiForm): Promise<void> => {
    const { browserLists, settings } = this.#ports;
    const { ctx } = form;
    const { browser = '' } = ctx.params;
    const { approver } = await admit(this.#ports, form, 'decide');
    const { duration, ...others } = form.body;
    if (typeof duration !== 'string' || Object.keys(others).length > 0)
      throw new QrLoginError('invalid_request', 'Send "duration" and nothing else.');
    if (!(await browserLists.changeStay(approver, browser, readDuration(settings.durations, duration))))
      throw notFound();
    ctx.status = 204;
  };

  /** `DELETE /qr/api/browsers/:browser`: signs one browser out. */
  end = async (request: ApiRequest): Promise<void> => {
    const { browserLists } = this.#ports;
    const { ctx } = request;
    const { browser = '' } = ctx.params;
    const { approver } = await admit(this.#ports, request, 'decide');
    if ((await browserLists.find(approver, browser)).length === 0) throw notFound();
    await browserLists.end(ctx, approver, browser);
    ctx.status = 204;
  };

  /**
   * `DELETE /qr/api/browsers`: signs out all browsers except the session in which the app was granted its access, and
   * ends the trust in all browsers. If that session was itself signed in by QR, it ends, too.
   */
  endAll = async (request: ApiRequest): Promise<void> => {
    const { approver } = await admit(this.#ports, request, 'decide');
    await this.#ports.browserLists.end(request.ctx, approver, 'all');
    request.ctx.status = 204;
  };
}

function toAppBrowser({ signedInAt, lastUsedAt, ...entry }: BrowserEntry): AppBrowser {
  return entry;
}
