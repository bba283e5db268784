import type { Ticket } from './ticket.ts';

/**
 * Stores tickets. A store must be able to compare and swap. It signals each write to the listeners of the interaction.
 */
export interface TicketStore {
  /**
   * Writes `ticket` as the first one of its interaction. All text that browsers sent must come back as it was.
   * @returns false if the interaction has a ticket already; nothing is written then
   */
  create(ticket: Ticket): Promise<boolean>;

  /** Returns the ticket with this id, until its deadline. */
  find(id: string): Promise<Ticket | undefined>;

  /** Returns the ticket that the interaction has now. */
  findByInteraction(uid: string): Promise<Ticket | undefined>;

  /**
   * Writes `next` if `previous` is still the interaction's ticket and has this version. If `next` is another ticket,
   * `ended` is the last state of the previous one, which can still be found by its id.
   * @returns false if `previous` has changed, is gone or was replaced meanwhile; nothing is written then
   */
  swap(previous: Ticket, next: Ticket, ended?: Ticket): Promise<boolean>;
}

/** Listens to the changes of one interaction's ticket. */
export interface Listener {
  /** Receives a changed ticket, or undefined if a change may have been missed and the listener must read the store. */
  hear(ticket: Ticket | undefined): void;
}

/** Stores short notes that expire. */
export interface Notes {
  /**
   * @param lasts the note's lifetime in milliseconds
   * @param value the note's text; not needed if the existence of the note says enough
   */
  write(name: string, lasts: number, value?: string): Promise<void>;

  /**
   * Writes a note unless there is one with this name, in one step: of any number of concurrent calls, in all processes,
   * one returns true. So a note can mark something that may be used only once.
   * @param lasts the note's lifetime in milliseconds
   * @returns false if there is such a note already; nothing is written then
   */
  claim(name: string, lasts: number): Promise<boolean>;

  /** Reads a note. @returns the note's text, or undefined if there is no such note (any more) */
  read(name: string): Promise<string | undefined>;
}

/**
 * Notifies the listeners of an interaction when its ticket changes. Signals may be lost: subscribe first, then read the
 * store.
 */
export interface Signals {
  /** The interval at which a listener should read the store even without a signal, in milliseconds. */
  readonly rereadEvery: number;
  subscribe(interaction: string, listener: Listener): void;
  /** Ends the subscription. Does nothing if it has ended already. */
  unsubscribe(interaction: string, listener: Listener): void;
}

/** Returns the current time in milliseconds since the epoch. */
export type Clock = () => number;
