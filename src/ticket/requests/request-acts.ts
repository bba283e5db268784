import { randomBytes } from 'node:crypto';
import { change, type Outcome } from '../change.ts';
import { notFound } from '../errors.ts';
import { type BackchannelRequest, type Browser, isLive, type SignInRequest, type Ticket } from '../ticket.ts';
import { newTicketId } from '../ticket-id.ts';
import * as transitions from '../transitions.ts';
import type { NotAsked, RequestPorts, RequestQueue } from './request-queue.ts';

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

/** The time for which a decided request is kept after its end, so that its user can report it. */
const KEPT_MS: number = 10 * 60 * 1000;
const ID_BYTES = 16;
const NO_BROWSER: Browser = { binding: '', source: '' };

/** The acts of clients that ask without a browser. */
export class RequestActs {
  readonly #ports: RequestPorts;
  readonly #queue: RequestQueue;

  constructor(ports: RequestPorts, queue: RequestQueue) {
    this.#ports = ports;
    this.#queue = queue;
  }

  /**
   * Asks an account. At most one request of a client waits for an account: a second one could take the place of the
   * first just before the user taps.
   * @returns the reason if the account is not asked
   */
  async ask({ accountId, request, authReqId, message, lasts }: RequestInput): Promise<BackchannelTicket | NotAsked> {
    const { store, clock, lifetimes, keys } = this.#ports;
    const now = clock();
    const expiresAt = now + lasts;
    const interaction = randomBytes(ID_BYTES).toString('base64url');
    const id = newTicketId(interaction);
    const backchannel = { sealedId: keys.seal(id, authReqId), expiresAt, ...(message !== undefined && { message }) };
    const asked = { ...request, requirements: { ...request.requirements, accountId }, backchannel };
    const fixed = { id, interaction, request: asked, browser: NO_BROWSER, endsAt: expiresAt + KEPT_MS };
    const ticket = transitions.show(fixed, undefined, { now, lifetimes });
    const obstacle = await this.#queue.findObstacle(ticket);
    if (obstacle !== undefined) return obstacle;
    if (!(await store.create(ticket))) throw notFound();
    return (await this.#queue.add(ticket)) ? { ...ticket, request: asked } : 'pending';
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
