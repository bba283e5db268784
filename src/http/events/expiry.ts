import type { Clock, TicketStore } from '../../ticket/ports.ts';
import { isLive, stateAt, type Ticket } from '../../ticket/ticket.ts';
import type { Lifetimes } from '../../ticket/transitions.ts';
import { type Announce, type Tell, type TicketEventName, type Told, toldOf } from './ticket-events.ts';

const TICK = 1_000;
/** How often a ticket is looked at within its shortest state, so that none passes unseen. */
const LOOKS = 4;
const AT_ONCE = 50;

/** What has ended otherwise cannot expire. */
const ENDS: ReadonlySet<TicketEventName> = new Set([
  'qr_login.denied',
  'qr_login.reported',
  'qr_login.cancelled',
  'qr_login.finished',
]);

/** A ticket as it was seen last. There may be ten thousands of them: what is not needed to tell of it is let go. */
interface Sight {
  readonly told: Told;
  readonly deadline: number;
  /** By the process's own clock, which does not jump. */
  readonly seenAt: number;
  readonly lookAt: number;
}

/**
 * Finds out which of the tickets that were shown here expire, as nobody does that: it happens by itself. Each is looked at
 * often enough to be seen in every state, as its record dies with its deadline.
 */
export class Expiry {
  readonly #store: TicketStore;
  readonly #clock: Clock;
  readonly #tell: (told: Told) => void;
  readonly #shortest: number;
  readonly #tick: number;
  /** Each as it was seen last, by its id. */
  readonly #seen = new Map<string, Sight>();
  readonly #timer: NodeJS.Timeout;
  #looking = false;

  /** @param tell told of each ticket that has expired, as it was seen last */
  constructor(store: TicketStore, clock: Clock, lifetimes: Lifetimes, tell: (told: Told) => void) {
    this.#store = store;
    this.#clock = clock;
    this.#tell = tell;
    this.#shortest = Math.min(lifetimes.scan, lifetimes.decide, lifetimes.finish);
    this.#tick = Math.min(TICK, this.#shortest / LOOKS);
    this.#timer = setInterval(() => void this.#look(), this.#tick).unref();
  }

  /** Tells as before, and knows from that which tickets to look at. */
  following(tell: Tell): Announce {
    return (ctx, name, ticket) => {
      if (name === 'qr_login.shown') this.#watch(ticket);
      else if (ENDS.has(name)) this.#seen.delete(ticket.id);
      tell(ctx, name, toldOf(ticket));
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#seen.clear();
  }

  #watch(ticket: Ticket): void {
    const { deadline } = ticket;
    this.#seen.set(ticket.id, {
      told: toldOf(ticket),
      deadline,
      seenAt: performance.now(),
      lookAt: this.#nextLook(deadline),
    });
  }

  /** Just before its deadline, to see it while its record is there; and at the deadline. */
  #nextLook(deadline: number): number {
    const now = this.#clock();
    if (deadline - now <= this.#tick) return deadline;
    return Math.min(deadline - this.#tick, now + this.#shortest / 2);
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const now = this.#clock();
    const due = [...this.#seen.values()].filter(({ lookAt }) => lookAt <= now);
    try {
      for (let first = 0; first < due.length; first += AT_ONCE) {
        await Promise.all(due.slice(first, first + AT_ONCE).map((sight) => this.#lookAt(sight)));
      }
    } catch {
      // The store is out of reach, which whoever needs it is told: what was not looked at is due in the next round.
    } finally {
      this.#looking = false;
    }
  }

  async #lookAt({ told: before, deadline, seenAt }: Sight): Promise<void> {
    const ticket = await this.#store.find(before.id);
    const now = this.#clock();
    // It was brought to an end here meanwhile.
    if (!this.#seen.has(before.id)) return;
    if (ticket !== undefined && isLive(ticket, now)) return this.#watch(ticket);
    this.#seen.delete(before.id);
    // Whatever it may have ended in has a record for this long: after that, nobody knows.
    const isSure = performance.now() - seenAt < this.#shortest;
    if (ticket === undefined ? isSure : hasExpired(ticket, deadline, now))
      this.#tell(ticket === undefined ? before : toldOf(ticket));
  }
}

/** @param deadline of the state that it was seen in last: what took the place of one that was over did not end it */
function hasExpired(ticket: Ticket, deadline: number, now: number): boolean {
  return stateAt(ticket, now) === 'expired' || (ticket.state === 'cancelled' && ticket.since >= deadline);
}
