import type { Clock, TicketStore } from '../../ticket/ports.ts';
import { isLive, stateAt, type Ticket } from '../../ticket/ticket.ts';
import type { Lifetimes } from '../../ticket/transitions.ts';
import {
  type Announce,
  type EmitTicketEvent,
  type TicketEventName,
  type TicketFacts,
  ticketFactsOf,
} from './ticket-events.ts';

/** The longest interval between two rounds of checks. */
const TICK_MS = 1_000;
/** The least number of rounds within the shortest state, so that no state goes unnoticed. */
const ROUNDS_PER_STATE = 4;
/** The number of tickets that are read from the store at a time. */
const BATCH_SIZE = 50;

/** Events after which a ticket cannot expire any more. */
const ENDS: ReadonlySet<TicketEventName> = new Set([
  'qr_login.denied',
  'qr_login.reported',
  'qr_login.cancelled',
  'qr_login.finished',
]);

/** The lifetimes of the states, in milliseconds. */
type StateLifetimes = Omit<Lifetimes, 'signIn'>;

/** The numbers of live tickets, by state. */
export type LiveCounts = Readonly<Record<'waiting' | 'scanned' | 'approved', number>>;

/** A ticket as it was last read. There may be tens of thousands, so only what the event needs is kept. */
interface WatchedTicket {
  readonly facts: TicketFacts;
  readonly deadline: number;
  /** The time of the read by the monotonic clock of this process, in milliseconds. */
  readonly readAt: number;
  /** The time of the next check, in milliseconds since the epoch. */
  readonly checkAt: number;
}

/**
 * Detects the expiry of tickets that this process has shown, or created as actions without a browser. Nothing is written
 * when a ticket expires, and its record is gone then. So each ticket is read often enough to see every state while it
 * lasts.
 */
export class ExpiryWatcher {
  readonly #store: TicketStore;
  readonly #clock: Clock;
  readonly #onExpired: (facts: TicketFacts) => void;
  /** The duration of the shortest state, in milliseconds. */
  readonly #shortestMs: number;
  /** The interval between two rounds of checks, in milliseconds. */
  readonly #tickMs: number;
  /** The tickets that have not ended, as they were last read, by their ids. */
  readonly #watched = new Map<string, WatchedTicket>();
  readonly #timer: NodeJS.Timeout;
  #isChecking = false;

  /** @param onExpired called with each ticket that has expired, as it was last read */
  constructor(store: TicketStore, clock: Clock, lifetimes: StateLifetimes, onExpired: (facts: TicketFacts) => void) {
    this.#store = store;
    this.#clock = clock;
    this.#onExpired = onExpired;
    this.#shortestMs = Math.min(lifetimes.scan, lifetimes.decide, lifetimes.finish);
    this.#tickMs = Math.min(TICK_MS, this.#shortestMs / ROUNDS_PER_STATE);
    this.#timer = setInterval(() => void this.#checkDue(), this.#tickMs).unref();
  }

  /**
   * Returns an announcer that passes each event on to `emit`. It begins to watch a ticket that is shown, and stops when
   * the ticket ends.
   */
  makeAnnouncer(emit: EmitTicketEvent): Announce {
    return (ctx, name, ticket) => {
      if (name === 'qr_login.shown' || (this.#watched.has(ticket.id) && !ENDS.has(name))) this.watch(ticket);
      else if (ENDS.has(name)) this.#watched.delete(ticket.id);
      emit(ctx, name, ticketFactsOf(ticket));
    };
  }

  /**
   * Counts the live tickets that this process has shown, as they were last read: a step that another process has taken
   * is noticed after half of the shortest lifetime of a state at the latest.
   */
  countLive(): LiveCounts {
    const counts = { waiting: 0, scanned: 0, approved: 0 };
    for (const { facts } of this.#watched.values()) {
      const { state } = facts;
      if (state === 'waiting' || state === 'scanned' || state === 'approved') counts[state] += 1;
    }
    return counts;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#watched.clear();
  }

  /** Watches a ticket. Only one process may do this, because a second one would announce the expiry again. */
  readonly watch = (ticket: Ticket): void => {
    const { deadline } = ticket;
    this.#watched.set(ticket.id, {
      facts: ticketFactsOf(ticket),
      deadline,
      readAt: performance.now(),
      checkAt: this.#nextCheck(deadline),
    });
  };

  /**
   * Returns the time of the next check: at the latest one tick before the deadline, while the record still exists, and
   * then at the deadline.
   */
  #nextCheck(deadline: number): number {
    const now = this.#clock();
    if (deadline - now <= this.#tickMs) return deadline;
    return Math.min(deadline - this.#tickMs, now + this.#shortestMs / 2);
  }

  async #checkDue(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    const now = this.#clock();
    const due = [...this.#watched.values()].filter(({ checkAt }) => checkAt <= now);
    try {
      for (let first = 0; first < due.length; first += BATCH_SIZE) {
        await Promise.all(due.slice(first, first + BATCH_SIZE).map((watched) => this.#check(watched)));
      }
    } catch {
      // The store cannot be reached, and the requests that need it report that. The rest is checked in the next round.
    } finally {
      this.#isChecking = false;
    }
  }

  async #check({ facts: before, deadline, readAt }: WatchedTicket): Promise<void> {
    const ticket = await this.#store.find(before.id);
    const now = this.#clock();
    // This process has ended the ticket meanwhile.
    if (!this.#watched.has(before.id)) return;
    if (ticket !== undefined && isLive(ticket, now)) return this.watch(ticket);
    this.#watched.delete(before.id);
    // A ticket that ended otherwise than by expiry keeps its record for at least the shortest state. So a missing record
    // proves the expiry only if the last read, which found the ticket live, was less than that ago.
    const isSure = performance.now() - readAt < this.#shortestMs;
    if (ticket === undefined ? isSure : hasExpired(ticket, deadline, now))
      this.#onExpired(ticket === undefined ? before : ticketFactsOf(ticket));
  }
}

/**
 * Returns true if the ticket has expired. A ticket that was cancelled after its deadline, because another ticket took
 * its place, has expired, too.
 * @param deadline the deadline of the state in which it was last read
 */
function hasExpired(ticket: Ticket, deadline: number, now: number): boolean {
  return stateAt(ticket, now) === 'expired' || (ticket.state === 'cancelled' && ticket.since >= deadline);
}
