import type { Context } from 'koa';
import type { Clock, Listener } from '../../ticket/ports.ts';
import type { Ticket } from '../../ticket/ticket.ts';
import type { Figures } from '../events/metrics.ts';
import { type BrowserViews, versionAt } from '../ticket-view/browser-view.ts';
import { hasLeft, isBehindAnother } from './connection.ts';
import type { TicketWatch } from './ticket-watch.ts';

/** Most proxies give up on a request after 30 s. */
const LONGEST_WAIT = 25_000;
/** Where something may have been missed, it is read within this time, but not by all at once. */
const CATCH_UP_WITHIN = 1_000;

/** Requests that wait for a change: the way on for browsers that no event stream gets through to. */
export class LongPolls {
  readonly #views: BrowserViews;
  readonly #clock: Clock;
  readonly #figures: Figures;
  readonly #waiting = new Set<() => void>();
  #closed = false;

  constructor(views: BrowserViews, clock: Clock, figures: Figures) {
    this.#views = views;
    this.#clock = clock;
    this.#figures = figures;
  }

  /** The ticket once it is another than the browser knows, its code rotates, or the wait gets too long. */
  async next(ctx: Context, watching: TicketWatch, known: number): Promise<Ticket | undefined> {
    let wake: (heard?: Ticket) => void = () => undefined;
    const woken = new Promise<Ticket | undefined>((resolve) => {
      wake = resolve;
    });
    const ears: Listener = {
      hear: (heard) => {
        // All of them would read at once.
        if (heard === undefined) setTimeout(wake, Math.random() * CATCH_UP_WITHIN).unref();
        else wake(heard);
      },
    };
    watching.subscribe(ears);
    this.#figures.arrived();
    try {
      const ticket = await watching.read();
      const now = this.#clock();
      if (this.#closed || hasLeft(ctx.res) || versionAt(ticket, now) !== known) return ticket;
      // Others would have to wait for it, and it does not hear when they leave.
      if (isBehindAnother(ctx)) return ticket;
      const longest = Math.min(LONGEST_WAIT, this.#views.dueAt(ticket, now) - now, watching.endsAt - now);
      const heard = await this.#sleep(ctx, longest, woken, () => wake());
      const changed = follows(heard, ticket) ? heard : await watching.read();
      if (changed?.state !== ticket?.state) this.#figures.notified(changed, this.#clock());
      return changed;
    } finally {
      watching.unsubscribe(ears);
      this.#figures.left();
    }
  }

  /** Answers everybody who waits with the ticket as it stands. */
  close(): void {
    this.#closed = true;
    for (const wake of this.#waiting) wake();
  }

  async #sleep(
    ctx: Context,
    longest: number,
    woken: Promise<Ticket | undefined>,
    wake: () => void,
  ): Promise<Ticket | undefined> {
    const timer = setTimeout(wake, Math.max(0, longest));
    ctx.res.once('close', wake);
    this.#waiting.add(wake);
    const heard = await woken;
    clearTimeout(timer);
    this.#waiting.delete(wake);
    return heard;
  }
}

/** Whether what was heard comes after what was read: a signal may be late. */
function follows(heard: Ticket | undefined, read: Ticket | undefined): heard is Ticket {
  return heard !== undefined && heard.id === read?.id && heard.version > read.version;
}
