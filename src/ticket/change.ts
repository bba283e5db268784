import type { BlockList } from './blocks.ts';
import type { KnownBrowsers } from './browsers/known-browser.ts';
import type { Codes } from './codes/code.ts';
import type { ShortCodes } from './codes/short-code.ts';
import { notFound } from './errors.ts';
import type { Clock, Notes, TicketStore } from './ports.ts';
import type { SecretKeys } from './secret-keys.ts';
import type { Ticket } from './ticket.ts';
import type { Lifetimes, Moment } from './transitions.ts';

/** The dependencies of the ceremony. */
export interface CeremonyPorts {
  readonly store: TicketStore;
  readonly notes: Notes;
  readonly known: KnownBrowsers;
  readonly blocks: Pick<BlockList, 'put' | 'find'>;
  readonly clock: Clock;
  readonly keys: SecretKeys;
  readonly codes: Codes;
  /** Absent if the deployment does not offer to type a code instead of scanning. */
  readonly shortCodes?: ShortCodes | undefined;
  readonly lifetimes: Lifetimes;
  /**
   * The way in which the check code of a sign-in is entered. After a typed short code, and for an action, it is always
   * `digits`. Default: `digits`.
   */
  readonly checkCodeEntry?: CheckCodeEntry;
}

/**
 * The proof that the approver is near the browser: six digits that the phone shows and the user types at the browser,
 * or a tap on the phone on the number that the browser shows.
 */
export type CheckCodeEntry = 'digits' | 'tap';

/** The ticket after an act. */
export interface Outcome<T extends Ticket = Ticket> {
  readonly ticket: T;
  /** True if this act changed the ticket. A repeated act gets the same answer, but changes nothing. */
  readonly changed: boolean;
}

/**
 * Reads a ticket, applies the transition, and writes the result by compare-and-swap. After a lost race the transition
 * runs again on the newly read ticket; this ends soon, because a ticket has few states. A transition that returns the
 * ticket unchanged writes nothing.
 * @returns undefined if there is no ticket
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
    // The swap failed although this ticket has not changed, so the interaction has another ticket now.
    if (lost?.id === previous.id && lost.version === previous.version) throw notFound();
    const ticket = await transition(previous, { now: clock(), lifetimes });
    if (ticket.version === previous.version) return { ticket, changed: false };
    if (await store.swap(previous, ticket)) return { ticket, changed: true };
    lost = previous;
  }
}
