import type { CeremonyPorts } from '../change.ts';
import { isReported, reportedOriginOf } from '../reports.ts';
import { isListed, isLive, type Ticket, type TicketState } from '../ticket.ts';
import { type Asker, Pace } from './pace.ts';
import { hasRoom, type PendingRequest, type PendingRequests } from './pending-request.ts';

/**
 * The reasons for which an account is not asked: it has reported the sender, another request waits, or the sender asks
 * too soon after one that was not approved.
 */
export type NotAsked = 'reported' | 'pending' | 'too soon';

export interface RequestPorts extends CeremonyPorts {
  readonly requests: PendingRequests;
}

/** The data of a ticket that is to wait for an account. */
type NewRequest = Pick<Ticket, 'id' | 'request' | 'browser' | 'deadline'>;

/**
 * The requests in which phones find a ticket without scanning it. A sender has one of them at a time for an account,
 * and waits longer and longer after those that the account does not approve.
 */
export class RequestQueue {
  readonly #ports: RequestPorts;
  readonly #pace: Pace;

  constructor(ports: RequestPorts) {
    this.#ports = ports;
    this.#pace = new Pace(ports.notes);
  }

  /** Returns the reason for which the account must not be asked now; undefined if it may be asked. */
  async findObstacle(ticket: NewRequest): Promise<NotAsked | undefined> {
    const asker = askerOf(ticket);
    const { accountId, sender } = asker;
    const { id, deadline: endsAt } = ticket;
    if (await isReported(this.#ports, accountId, reportedOriginOf(ticket))) return 'reported';
    // Before the pace, which counts a request that waits as one that is not approved.
    if (!hasRoom(await this.#listPending(accountId), { id, sender, endsAt })) return 'pending';
    return (await this.#pace.isTooSoon(asker, this.#ports.clock())) ? 'too soon' : undefined;
  }

  /**
   * Adds a ticket to the list of its account. The caller has stored it: a request on the list without a ticket would
   * keep its sender from asking, and never be shown.
   * @returns false if the account has got another request meanwhile
   */
  async add(ticket: Ticket): Promise<boolean> {
    const { requests, clock } = this.#ports;
    const asker = askerOf(ticket);
    const { accountId, sender } = asker;
    const { id, deadline: endsAt } = ticket;
    try {
      if (!(await requests.add(accountId, { id, sender, endsAt }))) return false;
      await this.#pace.noteAsked(asker, endsAt, clock());
      return true;
    } catch (error) {
      // The sender gets the first error, and does not wait for this: the store is likely in trouble.
      requests.remove(accountId, id).catch(() => undefined);
      throw error;
    }
  }

  /** Returns true if the ticket is on the list of its account. */
  async has(ticket: Ticket): Promise<boolean> {
    const list = await this.#ports.requests.list(askerOf(ticket).accountId);
    return list.some(({ id }) => id === ticket.id);
  }

  /** Returns the tickets that wait for an account, the oldest first. */
  async list(accountId: string): Promise<readonly Ticket[]> {
    const { store, clock, requests } = this.#ports;
    const found = await Promise.all((await requests.list(accountId)).map(({ id }) => store.find(id)));
    const now = clock();
    return found
      .filter((ticket) => ticket !== undefined)
      .filter((ticket) => isListed(ticket) && isLive(ticket, now) && ticket.state !== 'approved')
      .sort((one, other) => one.shownAt - other.shownAt);
  }

  /**
   * Removes a ticket that was decided or has ended from the list, and lets its sender ask again. May be repeated. A
   * ticket that was scanned is in no list.
   */
  async close(ticket: Ticket): Promise<void> {
    if (!isListed(ticket)) return;
    const { accountId } = askerOf(ticket);
    // If it is gone, a later request of the sender may have begun.
    const pending = (await this.#ports.requests.list(accountId)).find(({ id }) => id === ticket.id);
    if (pending !== undefined) await this.#close(accountId, pending, ticket.state);
  }

  /**
   * Returns the requests that wait for an account. Closes those that cannot be decided any more: the ticket is gone, or
   * its decision could not close the request.
   */
  async #listPending(accountId: string): Promise<readonly PendingRequest[]> {
    const { store, clock, requests } = this.#ports;
    const list = await requests.list(accountId);
    const waiting = await Promise.all(
      list.map(async (pending) => {
        const ticket = await store.find(pending.id);
        if (ticket !== undefined && isLive(ticket, clock())) return [pending];
        await this.#close(accountId, pending, ticket?.state);
        return [];
      }),
    );
    return waiting.flat();
  }

  async #close(accountId: string, { id, sender }: PendingRequest, state: TicketState | undefined): Promise<void> {
    const { clock, requests } = this.#ports;
    const isApproved = state === 'approved' || state === 'redeemed';
    await this.#pace.noteAnswered({ accountId, sender }, isApproved, clock());
    await requests.remove(accountId, id);
  }
}

/** The sender is the browser that has asked phones, or the client that asks without a browser. */
function askerOf({ request, browser }: Pick<Ticket, 'request' | 'browser'>): Asker {
  const sender = request.asked === undefined ? `client:${request.client.id}` : `browser:${browser.knownAs}`;
  return { accountId: request.requirements.accountId ?? '', sender };
}
