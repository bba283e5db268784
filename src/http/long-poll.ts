import type { Context } from 'koa';
import type { Clock } from '../ticket/ports.ts';
import type { Ticket } from '../ticket/ticket.ts';
import { type BrowserViews, versionAt } from './browser-view.ts';
import type { Watching } from './watching.ts';

/** Most proxies give up on a request after 30 s. */
const LONGEST_WAIT = 25_000;

/** Requests that wait for a change: the way on for browsers that no event stream gets through to. */
export class LongPolls {
  readonly #views: BrowserViews;
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #closed = false;

  constructor(views: BrowserViews, clock: Clock) {
    this.#views = views;
    this.#clock = clock;
  }

  /** The ticket once it is another than the browser knows, its code rotates, or the wait gets too long. */
  async next(ctx: Context, watching: Watching, known: number): Promise<Ticket | undefined> {
    let wake: () => void = () => undefined;
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const unsubscribe = watching.subscribe(wake);
    try {
      const ticket = await watching.read();
      const now = this.#clock();
      if (this.#closed || ctx.res.closed || versionAt(ticket, now) !== known) return ticket;
      await this.#sleep(
        ctx,
        Math.min(LONGEST_WAIT, this.#views.dueAt(ticket, now) - now, watching.endsAt - now),
        woken,
        wake,
      );
      return await watching.read();
    } finally {
      unsubscribe();
    }
  }

  /** Answers everybody who waits with the ticket as it stands. */
  close(): void {
    this.#closed = true;
    for (const wake of this.#waiting) wake();
  }

  async #sleep(ctx: Context, longest: number, woken: Promise<void>, wake: () => void): Promise<void> {
    const timer = setTimeout(wake, Math.max(0, longest));
    ctx.res.once('close', wake);
    this.#waiting.add(wake);
    await woken;
    clearTimeout(timer);
    this.#waiting.delete(wake);
  }
}
