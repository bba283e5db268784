import type { Ticket } from './ticket.ts';

/** Where tickets live. A store that cannot compare and swap is not a store. */
export interface TicketStore {
  /**
   * Makes `ticket` the one of its interaction, in a place that is empty or held by the one with the id `replaces`.
   * @returns false where another one holds that place; nothing is written then
   */
  create(ticket: Ticket, replaces: string | undefined): Promise<boolean>;

  /** The ticket with this id, until its deadline. */
  find(id: string): Promise<Ticket | undefined>;

  /** The ticket that the interaction has now. */
  findByInteraction(uid: string): Promise<Ticket | undefined>;

  /**
   * Writes `next` if `previous` is still the interaction's ticket and has this version.
   * @returns false where it has changed, gone or been replaced meanwhile; nothing is written then
   */
  swap(previous: Ticket, next: Ticket): Promise<boolean>;
}

/** Tells those who watch an interaction that its ticket has changed. Signals may be lost: read after you subscribe. */
export interface Signals {
  publish(ticket: Ticket): Promise<void>;

  /** @returns the function that ends the subscription */
  subscribe(interaction: string, listener: (ticket: Ticket) => void): () => void;
}

/** Milliseconds since the epoch. */
export type Clock = () => number;
