import type { Clock } from '../../ticket/ports.ts';
import type { SignInRequest, Ticket } from '../../ticket/ticket.ts';
import { callInBackground } from '../hooks/call-hook.ts';
import type { Subscriptions } from '../push/subscriptions.ts';
import { toSeconds } from '../request/responses.ts';
import type { Urls } from '../request/urls.ts';

/** A request that waits for an account, as a notification needs it. */
export interface NotifiedRequest {
  /** Its id in the API for apps: `POST /qr/api/requests/<id>` opens it. */
  readonly id: string;
  /** The address that opens it, on a page of the provider. It is of use to the account alone. */
  readonly url: string;
  /** The client that asks. */
  readonly client: SignInRequest['client'];
  /** Seconds until it ends. */
  readonly expiresIn: number;
}

/** Tells the phones of an account about a request, by a push service of the deployment. */
export type Notify = (accountId: string, request: NotifiedRequest) => void | Promise<void>;

export interface NotifierPorts {
  readonly urls: Urls;
  readonly clock: Clock;
  readonly subscriptions: Pick<Subscriptions, 'push'>;
  readonly settings: { readonly notify: Notify };
}

/**
 * Tells the deployment, and the account's phones by Web Push, about requests that wait for an account. A phone also finds them in its list if no notification
 * arrives.
 */
export class Notifier {
  readonly #ports: NotifierPorts;

  constructor(ports: NotifierPorts) {
    this.#ports = ports;
  }

  /** Does not wait: the client has its answer before the push service has one. */
  notify(accountId: string, { id, request, deadline }: Ticket): void {
    const { urls, clock, subscriptions, settings } = this.#ports;
    const url = urls.absolute(urls.request(id));
    const notified = { id, url, client: request.client, expiresIn: toSeconds(deadline - clock()) };
    callInBackground('notify', () => settings.notify(accountId, notified));
    callInBackground('push', () => subscriptions.push(accountId, { id, deadline }));
  }
}
