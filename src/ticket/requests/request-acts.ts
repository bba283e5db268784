import { randomBytes } from 'node:crypto';
import { type CeremonyPorts, change, type Outcome } from '../change.ts';
import { notFound } from '../errors.ts';
import { isReported, reportedOriginOf } from '../reports.ts';
import {
  type BackchannelRequest,
  type Browser,
  isLive,
  type SignInRequest,
  type Ticket,
  type TicketState,
} from '../ticket.ts';
import { newTicketId } from '../ticket-id.ts';
import * as transitions from '../transitions.ts';
import { Pace } from './pace.ts';
import type { PendingRequest, PendingRequests } from './pending-request.ts';

/** A ticket for a request without a browser. */
export type BackchannelTicket = Ticket & { readonly request: { readonly backchannel: BackchannelRequest } };

/** The data of a request that a client sends without a browser. */
export interface RequestInput {
  /** The only account that may decide. */
  readonly accountId: string;
  readonly request: Omit<SignInRequest, 'action' | 'backchannel'>;
  /** The `auth_req_id`. */
  readonly authReqId: string;
  readonly message?: string | undefined;
  /** The time that is left for the decision, in milliseconds. */
  readonly lasts: number;
}

/**
 * The reasons for which an account is not asked: it has reported the client, another request waits, or the client asks
 * too soon after one that was not approved.
 */
export type NotAsked = 'reported' | 'pending' | 'too soon';

export interface RequestPorts extends CeremonyPorts {
  readonly requests: PendingRequests;
}

/** The time for which a decided request is kept after its end, so that its user can report it. */
const KEPT_MS: number = 10 * 60 * 1000;
const ID_BYTES = 16;
const NO_BROWSER: Browser = { binding: '', source: '' };

/** The acts of clients that ask without a browser, and the list in which the phones of an account find the requests. */
export class RequestActs {
  readonly #ports: RequestPorts;
  readonly #pace: Pace;

  constructor(ports: RequestPorts) {
    this.#ports = ports;
    this.#pace = new Pace(ports.notes);
  }

  /**
   * Asks an account. At most one request of a client waits for an account: a second one could take the place of the
   * first just before the user taps.
   * @returns the reason if the account is not asked
   */
  async ask({ accountId, request, authReqId, message, lasts }: RequestInput): Promise<BackchannelTicket | NotAsked> {
    const { store, clock, lifetimes, keys, requests } = this.#ports;
    const now = clock();
    const expiresAt = now + lasts;
    const interaction = randomBytes(ID_BYTES).toString('base64url');
    const id = newTicketId(interaction);
    const backchannel = { sealedId: keys.seal(id, authReqId), expiresAt, ...(message !== undefined && { message }) };
    const asked = { ...request, requirements: { ...request.requirements, accountId }, backchannel };
    const fixed = { id, interaction, request: asked, browser: NO_BROWSER, endsAt: expiresAt + KEPT_MS };
    const ticket = transitions.show(fixed, undefined, { now, lifetimes });
    const asker = { accountId, sender: senderOf(ticket) };
    if (await isReported(this.#ports, accountId, reportedOriginOf(ticket))) return 'reported';
    // Check this before the pace, because the pace counts a request that waits as one that is not approved.
    if ((await this.#listPending(accountId)).some(({ sender }) => sender === asker.sender)) return 'pending';
    if (await this.#pace.isTooSoon(asker, now)) return 'too soon';
    // Write the ticket before the list: a listed request without a ticket is never shown, but keeps its client from
    // asking.
    if (!(await store.create(ticket))) throw notFound();
    try {
      if (!(await requests.add(accountId, { id, sender: asker.sender, endsAt: expiresAt }))) return 'pending';
      await this.#pace.noteAsked(asker, expiresAt, now);
    } catch (error) {
      // The client gets the first error, and does not wait for this: the store is likely in trouble.
      requests.remove(accountId, id).catch(() => undefined);
      throw error;
    }
    return { ...ticket, request: asked };
  }

  /**
   * Returns the requests that wait for an account. Closes those whose tickets are gone or have ended: they are still on
   * the list because an earlier attempt to close them has failed.
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

  /** Returns the requests that wait for an account, the oldest first. */
  async list(accountId: string): Promise<readonly BackchannelTicket[]> {
    const { store, clock, requests } = this.#ports;
    const found = await Promise.all((await requests.list(accountId)).map(({ id }) => store.find(id)));
    const now = clock();
    return found
      .filter((ticket) => ticket !== undefined)
      .filter(isBackchannel)
      .filter((ticket) => isLive(ticket, now) && ticket.state !== 'approved')
      .sort((one, other) => one.shownAt - other.shownAt);
  }

  /** Removes a request that was decided from the list, and lets its client ask again. May be repeated. */
  async close(ticket: Ticket): Promise<void> {
    const { accountId = '' } = ticket.request.requirements;
    // If the request has left the list, leave the client's pace alone: a later request of the client may have begun.
    const pending = (await this.#ports.requests.list(accountId)).find(({ id }) => id === ticket.id);
    if (pending !== undefined) await this.#close(accountId, pending, ticket.state);
  }

  async #close(accountId: string, { id, sender }: PendingRequest, state: TicketState | undefined): Promise<void> {
    const { clock, requests } = this.#ports;
    const isApproved = state === 'approved' || state === 'redeemed';
    await this.#pace.noteAnswered({ accountId, sender }, isApproved, clock());
    await requests.remove(accountId, id);
  }

  /** Returns the `auth_req_id` of a request; undefined if none of the server's secrets opens it. */
  authReqIdOf({ id, request }: BackchannelTicket): string | undefined {
    return this.#ports.keys.unseal(id, request.backchannel.sealedId);
  }

  /**
   * Claims the right to answer the client, so that two answers are not given at the same time.
   * @param lasts the longest time that the answer may take, in milliseconds
   * @returns false if another caller has claimed the answer
   */
  claimAnswer({ id }: BackchannelTicket, lasts: number): Promise<boolean> {
    return this.#ports.notes.claim(answerClaimOf(id), lasts);
  }

  /** Lets a repeated decision give the answer. The write is not awaited: if it fails, the claim expires by itself. */
  releaseAnswer({ id }: BackchannelTicket): void {
    this.#ports.notes.write(answerClaimOf(id), 1).catch(() => undefined);
  }

  /**
   * Redeems an approved request whose client got its grant. One that was reported meanwhile stays denied, and one whose
   * time is up stays as it is.
   */
  async settle({ id }: BackchannelTicket, grantId: string): Promise<Outcome | undefined> {
    return change(
      this.#ports,
      () => this.#ports.store.find(id),
      (ticket, moment) =>
        ticket.state === 'approved' && isLive(ticket, moment.now)
          ? transitions.redeem(ticket, moment, grantId)
          : ticket,
    );
  }
}

/** Returns true if the ticket is for a request without a browser. */
export function isBackchannel(ticket: Ticket): ticket is BackchannelTicket {
  return ticket.request.backchannel !== undefined;
}

function answerClaimOf(id: string): string {
  return `answering:${id}`;
}

function senderOf({ request }: Pick<Ticket, 'request'>): string {
  return `client:${request.client.id}`;
}
