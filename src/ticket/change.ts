import type { Codes } from './code.ts';
import { notFound } from './errors.ts';
import type { Keys } from './keys.ts';
import type { Clock, Notes, TicketStore } from './ports.ts';
import type { ShortCodes } from './short-code.ts';
import type { Ticket } from './ticket.ts';
import type { Lifetimes, Moment } from './transitions.ts';

/** What the ceremony stands on. */
export interface CeremonyPorts {
  readonly store: TicketStore;
  readonly notes: Notes;
  readonly clock: Clock;
  readonly keys: Keys;
  readonly codes: Codes;
  /** Absent where nobody may type instead of scanning. */
  readonly shortCodes?: ShortCodes | undefined;
  readonly lifetimes: Lifetimes;
}

/** A ticket after an act, and whether this very act changed it: an act that is repeated is answered, but changes nothing. */
export interface Outcome<T extends Ticket = Ticket> {
  readonly ticket: T;
  readonly changed: boolean;
}

/**
 * Reads, decides, and writes by compare-and-swap. Whoever loses a race decides again on what the winner left; as every
 * ticket has few states, that ends soon. A transition that returns its ticket changes nothing.
 * @returns undefined where there is no ticket
 */
export async function change<T extends Ticket>(
  { store, clock, lifetimes }: CeremonyPorts,
  read: () => Promise<Ticket | undefined>,
  transition: (ticket: Ticket, moment: Moment) => T | Promise<T>,
): Promise<Outcome<T> | undefined> {
  let lost: Ticket | undefined;
  for (;;) {
    const previous = await read();
    if (previous === undefined) return undefined;
    // Nobody has changed it, and yet it cannot be written: another one has its place.
    if (lost?.id === previous.id && lost.version === previous.version) throw notFound();
    const ticket = await transition(previous, { now: clock(), lifetimes });
    if (ticket.version === previous.version) return { ticket, changed: false };
    if (await store.swap(previous, ticket)) return { ticket, changed: true };
    lost = previous;
  }
}
