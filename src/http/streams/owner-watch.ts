import type { PhoneActs } from '../../ticket/phone.ts';
import type { Listener, Signals } from '../../ticket/ports.ts';
import { type Approver, isLive, isOwner, type Ticket } from '../../ticket/ticket.ts';
import type { WaitMetrics } from '../events/metrics.ts';
import type { ShownTicket } from '../ticket-view/browser-view.ts';
import type { Watch } from './ticket-watch.ts';

/** The ports that a watch reads and subscribes with. */
export interface OwnerWatchPorts {
  readonly ceremony: { readonly phone: Pick<PhoneActs, 'preview'> };
  readonly signals: Signals;
}

/** The approver that waits, and the ticket that it has scanned. */
export interface Owner {
  readonly id: string;
  readonly approver: Approver;
}

/** A page or an app that waits for changes of the ticket that its approver has scanned. */
export class OwnerWatch implements Watch {
  readonly #ports: OwnerWatchPorts;
  readonly #owner: Owner;
  readonly #interaction: string;
  readonly endsAt: number;
  #wrapper: Listener | undefined;

  /** @param endsAt the end of the waiting, in milliseconds since the epoch */
  constructor(ports: OwnerWatchPorts, owner: Owner, { interaction }: Ticket, endsAt: number) {
    this.#ports = ports;
    this.#owner = owner;
    this.#interaction = interaction;
    this.endsAt = endsAt;
  }

  get rereadEvery(): number {
    return this.#ports.signals.rereadEvery;
  }

  /** Returns the ticket, or undefined if it is gone or another account has taken it over. */
  async read(): Promise<Ticket | undefined> {
    const ticket = await this.#ports.ceremony.phone.preview(this.#owner.id);
    return ticket !== undefined && this.#isMine(ticket) ? ticket : undefined;
  }

  /**
   * Subscribes to the interaction. A signal about its next ticket, or about another approver's ticket, only causes a
   * read.
   */
  subscribe(listener: Listener): void {
    const wrapper: Listener = {
      hear: (ticket) => {
        if (ticket === undefined || this.#isMine(ticket)) listener.hear(ticket);
        else void this.#readFor(listener, wrapper);
      },
    };
    this.#wrapper = wrapper;
    this.#ports.signals.subscribe(this.#interaction, wrapper);
  }

  unsubscribe(): void {
    if (this.#wrapper !== undefined) this.#ports.signals.unsubscribe(this.#interaction, this.#wrapper);
    this.#wrapper = undefined;
  }

  /** Ends the wait of a long poll within a second, as if a change may have been missed. */
  dismiss(): void {
    this.#wrapper?.hear(undefined);
  }

  /**
   * Reads the ticket at once. The signal shows that the ticket has ended for this approver. The reads need not be
   * spread over time, because few clients wait for one ticket.
   */
  async #readFor(listener: Listener, wrapper: Listener): Promise<void> {
    const ticket = await this.read().catch(() => undefined);
    if (this.#wrapper === wrapper) listener.hear(ticket);
  }

  #isMine(ticket: Ticket): boolean {
    return ticket.id === this.#owner.id && isOwner(ticket, this.#owner.approver);
  }
}

/**
 * Returns the time at which an approver must get a ticket again although it has not changed, because its state ends.
 */
export function ownerDueAt(shown: ShownTicket | undefined, now: number): number {
  return shown !== undefined && isLive(shown, now) ? shown.deadline : Number.POSITIVE_INFINITY;
}

/** Approvers are not counted among the waiting browsers. */
export const UNCOUNTED: WaitMetrics = {
  countArrival: () => undefined,
  countDeparture: () => undefined,
  recordNotification: () => undefined,
};
