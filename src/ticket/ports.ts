import type { Ticket } from './ticket.ts';

/** Where tickets live. A store that cannot compare and swap is not a store. What it writes, it tells the watchers. */
export interface TicketStore {
  /**
   * Makes `ticket` the one of its interaction, which has none.
   * @returns false where there is one; nothing is written then
   */
  create(ticket: Ticket): Promise<boolean>;

  /** The ticket with this id, until its deadline. */
  find(id: string): Promise<Ticket | undefined>;

  /** The ticket that the interaction has now. */
  findByInteraction(uid: string): Promise<Ticket | undefined>;

  /**
   * Writes `next` if `previous` is still the interaction's ticket and has this version. Where `next` is another ticket,
   * `ended` is how the previous one ended; it stays to be found by its id.
   * @returns false where `previous` has changed, gone or been replaced meanwhile; nothing is written then
   */
  swap(previous: Ticket, next: Ticket, ended?: Ticket): Promise<boolean>;
}

export interface Listener {
  /** Told of a ticket's change; of nothing, where something may have been missed and must be read. */
  hear(ticket: Ticket | undefined): void;
}

/** Short notes that vanish by themselves. */
export interface Notes {
  /**
   * @param lasts milliseconds
   * @param value what stands in it, where it says more than that it is there
   */
  write(name: string, lasts: number, value?: string): Promise<void>;

  /** @returns what stands in it; undefined where there is none (any more) */
  read(name: string): Promise<string | undefined>;
}

/** Tells those who watch an interaction that its ticket has changed. Signals may be lost: read after you subscribe. */
export interface Signals {
  /** How often those who wait should read all the same, in milliseconds. */
  readonly rereadEvery: number;
  subscribe(interaction: string, listener: Listener): void;
  /** Ends it; where it has ended already, there is nothing to do. */
  unsubscribe(interaction: string, listener: Listener): void;
}

/** Milliseconds since the epoch. */
export type Clock = () => number;
