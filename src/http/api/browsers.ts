import { notFound } from '../../ticket/errors.ts';
import type { Place } from '../../ticket/ticket.ts';
import type { BrowserLists } from '../devices/browser-lists.ts';
import type { BrowserEntry } from '../pages/page-data.ts';
import { type AdmissionPorts, admit } from '../phone/admission.ts';
import type { ApiRequest } from './api-request.ts';

/** A browser that the account is signed in to by QR, as an app gets it. */
export interface AppBrowser {
  /** The identifier to sign the browser out. */
  readonly id: string;
  /** The name that its user has given it. */
  readonly label?: string;
  readonly name?: string;
  readonly system?: string;
  readonly place?: Place;
  /** Seconds since the sign-in, and since a client has last found the user signed in there. */
  readonly signedInAgo: number;
  readonly lastUsedAgo: number;
  readonly clients: BrowserEntry['clients'];
}

export interface ApiBrowserPorts extends AdmissionPorts {
  readonly browserLists: BrowserLists;
}

/** The browsers that the app's account is signed in to by QR. */
export class ApiBrowserHandlers {
  readonly #ports: ApiBrowserPorts;

  constructor(ports: ApiBrowserPorts) {
    this.#ports = ports;
  }

  /** `GET Q/api/browsers`: the list, the most recently used first. */
  list = async (request: ApiRequest): Promise<void> => {
    const { approver } = await admit(this.#ports, request, 'decide');
    const entries = await this.#ports.browserLists.signedIn(approver);
    request.ctx.body = { browsers: entries.map(toAppBrowser) };
  };

  /** `DELETE Q/api/browsers/:browser`: signs one browser out. */
  end = async (request: ApiRequest): Promise<void> => {
    const { browserLists } = this.#ports;
    const { ctx } = request;
    const { browser = '' } = ctx.params;
    const { approver } = await admit(this.#ports, request, 'decide');
    if ((await browserLists.find(approver.accountId, browser)).length === 0) throw notFound();
    await browserLists.end(ctx, approver, browser);
    ctx.status = 204;
  };

  /** `DELETE Q/api/browsers`: signs all browsers out, and ends the trust in all. */
  endAll = async (request: ApiRequest): Promise<void> => {
    const { approver } = await admit(this.#ports, request, 'decide');
    await this.#ports.browserLists.end(request.ctx, approver, 'all');
    request.ctx.status = 204;
  };
}

function toAppBrowser({ id, label, name, system, place, signedInAgo, lastUsedAgo, clients }: BrowserEntry): AppBrowser {
  return {
    id,
    ...(label !== undefined && { label }),
    ...(name !== undefined && { name }),
    ...(system !== undefined && { system }),
    ...(place !== undefined && { place }),
    signedInAgo,
    lastUsedAgo,
    clients,
  };
}
