import type { Context } from 'koa';
import type { Clock, Listener } from '../../ticket/ports.ts';
import type { Ticket } from '../../ticket/ticket.ts';
import type { WaitMetrics } from '../events/metrics.ts';
import { versionAt } from '../ticket-view/browser-view.ts';
import { hasLeft, isBehindAnother } from './connection.ts';
import type { TicketWatch, Watch, WatchViews } from './ticket-watch.ts';

/** The longest wait. Most proxies give up on a request after 30 s. */
const LONGEST_WAIT_MS = 25_000;
/** The shortest wait before an answer without news: the browser asks again at once, and must not flood the server. */
const SHORTEST_WAIT_MS = 1_000;
/** After a change may have been missed, each poll reads the ticket at a random moment within this time. */
const CATCH_UP_WITHIN_MS = 1_000;

/** Requests that wait for a change of the ticket, for clients that event streams do not reach. */
export class LongPolls<Kind extends Watch = TicketWatch> {
  readonly #views: Pick<WatchViews<Kind>, 'dueAt'>;
  readonly #clock: Clock;
  readonly #metrics: WaitMetrics;
  readonly #wakers = new Set<() => void>();
  #closed = false;

  constructor(views: Pick<WatchViews<Kind>, 'dueAt'>, clock: Clock, metrics: WaitMetrics) {
    this.#views = views;
    this.#clock = clock;
    this.#metrics = metrics;
  }

  /**
   * Waits until the ticket differs from what the browser knows, its code rotates, or the longest wait is over. If a
   * change may have been missed, this returns earlier, perhaps without news, but then only after a second at least.
   * @param known the version that the browser knows
   * @returns the ticket at that moment; undefined if there is none any more
   */
  async next(ctx: Context, watch: Kind, known: number): Promise<Ticket | undefined> {
    let wake: (signalled?: Ticket) => void = () => undefined;
    const woken = new Promise<Ticket | undefined>((resolve) => {
      wake = resolve;
    });
    const earliestAnswerAt = this.#clock() + SHORTEST_WAIT_MS;
    const listener: Listener = {
      hear: (signalled) => {
        // Spread the reads: otherwise all polls would read at once.
        const readIn = Math.max(Math.random() * CATCH_UP_WITHIN_MS, earliestAnswerAt - this.#clock());
        if (signalled === undefined) setTimeout(wake, readIn).unref();
        else wake(signalled);
      },
    };
    watch.subscribe(listener);
    this.#metrics.countArrival();
    try {
      const ticket = await watch.read();
      const now = this.#clock();
      if (this.#closed || hasLeft(ctx.res) || versionAt(ticket, now) !== known) return ticket;
      // If an earlier response still occupies the connection, wait only briefly: the requests behind this one have to
      // wait as well, and Node does not report that the client has left.
      const wait = isBehindAnother(ctx) ? SHORTEST_WAIT_MS : LONGEST_WAIT_MS;
      const longest = Math.min(wait, this.#views.dueAt(ticket, now) - now, watch.endsAt - now);
      const signalled = await this.#sleep(ctx, longest, woken, () => wake());
      const current = isNewer(signalled, ticket) ? signalled : await watch.read();
      if (current?.state !== ticket?.state) this.#metrics.recordNotification(current, this.#clock());
      return current;
    } finally {
      watch.unsubscribe(listener);
      this.#metrics.countDeparture();
    }
  }

  /** Answers every waiting request with the ticket as it is now. */
  close(): void {
    this.#closed = true;
    for (const wake of this.#wakers) wake();
  }

  async #sleep(
    ctx: Context,
    longest: number,
    woken: Promise<Ticket | undefined>,
    wake: () => void,
  ): Promise<Ticket | undefined> {
    const timer = setTimeout(wake, Math.max(0, longest));
    ctx.res.once('close', wake);
    this.#wakers.add(wake);
    const signalled = await woken;
    clearTimeout(timer);
    this.#wakers.delete(wake);
    return signalled;
  }
}

/** Returns true if the signalled ticket is newer than the one that was read. A late signal has an older ticket. */
function isNewer(signalled: Ticket | undefined, read: Ticket | undefined): signalled is Ticket {
  return signalled !== undefined && signalled.id === read?.id && signalled.version > read.version;
}
