import type { Clock } from '../../ticket/ports.ts';
import type { RequestQueue } from '../../ticket/requests/request-queue.ts';
import type { SignInRequest } from '../../ticket/ticket.ts';
import { toSeconds } from '../request/responses.ts';

/** A request that waits for an account, as the account's phones list it. */
export interface PendingEntry {
  readonly id: string;
  /** The client that asks, or that a browser wants to sign in to. */
  readonly client: SignInRequest['client'];
  /** Seconds since the client or the browser has asked. */
  readonly askedAgo: number;
  /** Seconds until the request ends. */
  readonly expiresIn: number;
}

export interface PendingListPorts {
  readonly ceremony: { readonly queue: Pick<RequestQueue, 'list'> };
  readonly clock: Clock;
}

/** The requests that wait for an account, for its pages and its apps. */
export class PendingList {
  readonly #ports: PendingListPorts;

  constructor(ports: PendingListPorts) {
    this.#ports = ports;
  }

  /** Returns the requests, the oldest first. What they ask for is shown once they are opened. */
  async listFor(accountId: string): Promise<readonly PendingEntry[]> {
    const { ceremony, clock } = this.#ports;
    const tickets = await ceremony.queue.list(accountId);
    const now = clock();
    return tickets.map(({ id, request, shownAt, deadline }) => ({
      id,
      client: request.client,
      askedAgo: Math.floor(toSeconds(now - shownAt)),
      expiresIn: toSeconds(deadline - now),
    }));
  }
}
