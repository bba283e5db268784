import type { TicketStore } from '../../ticket/ports.ts';
import type { Ticket } from '../../ticket/ticket.ts';

/** A ticket as it is stored. Tickets of earlier versions have no issuer. */
type StoredTicket = Ticket & { readonly issuer?: string };

/**
 * The tickets of an issuer. Their ids and interactions are random, so they need no keys of their own: the issuer is
 * stored with the ticket, and a ticket of another issuer is not found.
 */
export class IssuerTickets implements TicketStore {
  readonly #store: TicketStore;
  readonly #issuer: string;

  constructor(store: TicketStore, issuer: string) {
    this.#store = store;
    this.#issuer = issuer;
  }

  create(ticket: Ticket): Promise<boolean> {
    return this.#store.create(this.#toStored(ticket));
  }

  async find(id: string): Promise<Ticket | undefined> {
    return ownTicket(await this.#store.find(id), this.#issuer);
  }

  async findByInteraction(uid: string): Promise<Ticket | undefined> {
    return ownTicket(await this.#store.findByInteraction(uid), this.#issuer);
  }

  swap(previous: Ticket, next: Ticket, ended?: Ticket): Promise<boolean> {
    return this.#store.swap(previous, this.#toStored(next), ended && this.#toStored(ended));
  }

  #toStored(ticket: Ticket): StoredTicket {
    return { ...ticket, issuer: this.#issuer };
  }
}

/** Returns a stored ticket as it was written, or undefined if it belongs to another issuer. */
export function ownTicket(stored: StoredTicket | undefined, issuer: string): Ticket | undefined {
  if (stored === undefined) return undefined;
  const { issuer: owner = issuer, ...ticket } = stored;
  return owner === issuer ? ticket : undefined;
}
