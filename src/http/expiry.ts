import type { Clock, TicketStore } from '../ticket/ports.ts';
import { isLive, stateAt, type Ticket } from '../ticket/ticket.ts';
import type { Lifetimes } from '../ticket/transitions.ts';
import type { Announce, TicketEventName } from './events.ts';

const TICK = 1_000;
/** How often a ticket is looked at within its shortest state, so that none passes unseen. */
const LOOKS = 4;

/** What has ended otherwise cannot expire. */
const ENDS: ReadonlySet<TicketEventName> = new Set(['qr_login.denied', 'qr_login.cancelled', 'qr_login.finished']);

/**
 * Finds out which of the tickets that were shown here expire, as nobody does that: it happens by itself. Each is looked at
 * often enough to be seen in every state, as its record dies with its deadline.
 */
export class Expiry {
  readonly #store: TicketStore;
  readonly #clock: Clock;
  readonly #tell: (ticket: Ticket) => void;
  readonly #shortest: number;
  readonly #tick: number;
  /** Each as it was seen last, by its id. */
  readonly #seen = new Map<string, { ticket: Ticket; lookAt: number }>();
  /** Those that could not be looked at in time: what became of them is not known. */
  readonly #unsure = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #looking = false;

  /** @param tell told of each ticket that has expired, as it was seen last */
  constructor(store: TicketStore, clock: Clock, lifetimes: Lifetimes, tell: (ticket: Ticket) => void) {
    this.#store = store;
    this.#clock = clock;
    this.#tell = tell;
    this.#shortest = Math.min(lifetimes.scan, lifetimes.decide, lifetimes.finish);
    this.#tick = Math.min(TICK, this.#shortest / LOOKS);
    this.#timer = setInterval(() => void this.#look(), this.#tick).unref();
  }

  /** Announces as before, and knows from that which tickets to look at. */
  following(announce: Announce): Announce {
    return (ctx, name, ticket) => {
      if (name === 'qr_login.shown') this.#watch(ticket);
      else if (ENDS.has(name)) this.#forget(ticket.id);
      announce(ctx, name, ticket);
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#seen.clear();
    this.#unsure.clear();
  }

  #watch(ticket: Ticket): void {
    this.#seen.set(ticket.id, { ticket, lookAt: this.#nextLook(ticket) });
  }

  /** Just before its deadline, to see it while its record is there; and at the deadline. */
  #nextLook({ deadline }: Ticket): number {
    const now = this.#clock();
    if (deadline - now <= this.#tick) return deadline;
    return Math.min(deadline - this.#tick, now + this.#shortest / 2);
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const now = this.#clock();
    try {
      for (const [id, { ticket, lookAt }] of this.#seen) {
        if (lookAt <= now) await this.#lookAt(id, ticket);
      }
    } catch {
      // The store is out of reach, which whoever needs it is told: what was not looked at is due in the next round.
      for (const [id, { lookAt }] of this.#seen) if (lookAt <= now) this.#unsure.add(id);
    } finally {
      this.#looking = false;
    }
  }

  async #lookAt(id: string, before: Ticket): Promise<void> {
    const ticket = await this.#store.find(id);
    const now = this.#clock();
    // Forgotten meanwhile.
    if (!this.#seen.has(id)) return;
    const unsure = this.#unsure.delete(id);
    if (ticket !== undefined && isLive(ticket, now)) return this.#watch(ticket);
    this.#forget(id);
    if (ticket === undefined ? !unsure : hasExpired(ticket, before, now)) this.#tell(ticket ?? before);
  }

  #forget(id: string): void {
    this.#seen.delete(id);
    this.#unsure.delete(id);
  }
}

/** @param before the ticket as it was seen last: what took the place of one that was over did not end it */
function hasExpired(ticket: Ticket, before: Ticket, now: number): boolean {
  return stateAt(ticket, now) === 'expired' || (ticket.state === 'cancelled' && ticket.since >= before.deadline);
}
