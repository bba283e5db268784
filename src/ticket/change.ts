import type { Codes } from './code.ts';
import type { Keys } from './keys.ts';
import type { Clock, Signals, TicketStore } from './ports.ts';
import type { Ticket } from './ticket.ts';
import type { Lifetimes, Moment } from './transitions.ts';

/** What the ceremony stands on. */
export interface CeremonyPorts {
  readonly store: TicketStore;
  readonly signals: Signals;
  readonly clock: Clock;
  readonly keys: Keys;
  readonly codes: Codes;
  readonly lifetimes: Lifetimes;
}

/** A ticket after an act, and whether this very act changed it: an act that is repeated is answered, but changes nothing. */
export interface Outcome<T extends Ticket = Ticket> {
  readonly ticket: T;
  readonly changed: boolean;
}

type Transition<T extends Ticket> = (ticket: Ticket, moment: Moment) => T;

/**
 * Reads, decides, writes by compare-and-swap, and tells the watchers. Whoever loses a race decides again on what the
 * winner left; as every ticket has few states, that ends soon. A transition that returns its ticket changes nothing.
 */
export async function change<T extends Ticket>(
  { store, signals, clock, lifetimes }: CeremonyPorts,
  read: () => Promise<Ticket | undefined>,
  transition: Transition<T>,
): Promise<Outcome<T> | undefined> {
  for (;;) {
    const previous = await read();
    if (previous === undefined) return undefined;
    const ticket = transition(previous, { now: clock(), lifetimes });
    if (ticket.version === previous.version) return { ticket, changed: false };
    if (await store.swap(previous, ticket)) {
      await signals.publish(ticket);
      return { ticket, changed: true };
    }
  }
}
