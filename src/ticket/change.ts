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

/** {@link transit}, and the watchers are told. */
export async function change<T extends Ticket>(
  ports: CeremonyPorts,
  read: () => Promise<Ticket | undefined>,
  transition: Transition<T>,
): Promise<Outcome<T> | undefined> {
  const outcome = await transit(ports, read, transition);
  if (outcome?.changed) await ports.signals.publish(outcome.ticket);
  return outcome;
}

/**
 * Reads, decides, and writes by compare-and-swap. Whoever loses a race decides again on what the winner left; as every
 * ticket has few states, that ends soon. A transition that returns its ticket changes nothing.
 * @returns undefined where there is no ticket
 */
export async function transit<T extends Ticket>(
  { store, clock, lifetimes }: CeremonyPorts,
  read: () => Promise<Ticket | undefined>,
  transition: Transition<T>,
): Promise<Outcome<T> | undefined> {
  for (;;) {
    const previous = await read();
    if (previous === undefined) return undefined;
    const ticket = transition(previous, { now: clock(), lifetimes });
    if (ticket.version === previous.version) return { ticket, changed: false };
    if (await store.swap(previous, ticket)) return { ticket, changed: true };
  }
}
