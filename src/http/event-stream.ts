import type { ServerResponse } from 'node:http';
import type { Context } from 'koa';
import type { Clock } from '../ticket/ports.ts';
import type { Ticket } from '../ticket/ticket.ts';
import { type BrowserViews, versionAt } from './browser-view.ts';
import type { Figures } from './figures.ts';
import type { Watching } from './watching.ts';

/** How often the one timer looks for streams that are due. */
const TICK = 250;
/** Proxies and browsers give up on a stream that is silent for long. */
const HEARTBEAT = 15_000;
/** Signals may get lost: the truth is read about this often all the same. */
const REREAD = 10_000;
/** Where something may have been missed, it is read within this time, by all streams but not by all at once. */
const CATCH_UP_WITHIN = 1_000;
/** A reader that is this many bytes behind is not there any more. */
const MOST_UNSENT = 64 * 1024;
/** After a node went away its browsers come back within this time, not all at once. */
const RECONNECT_WITHIN = 2_000;

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
  'X-Content-Type-Options': 'nosniff',
};

/** The streams that browsers wait on: Server-Sent Events, on one timer for all of them. */
export class EventStreams {
  readonly #views: BrowserViews;
  readonly #clock: Clock;
  readonly #figures: Figures;
  readonly #open = new Set<Stream>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(views: BrowserViews, clock: Clock, figures: Figures) {
    this.#views = views;
    this.#clock = clock;
    this.#figures = figures;
  }

  /** Takes the response over and writes to it from now on: the whole state at once, then whatever changes. */
  async open(ctx: Context, watching: Watching): Promise<void> {
    const { res } = ctx;
    const stream = new Stream(res, watching, this.#views, this.#clock, this.#figures);
    // Subscribe, then read, then send: a change in between is seen by one of the two.
    const unsubscribe = watching.subscribe((ticket) => stream.hear(ticket));
    const depart = this.#figures.arrive();
    const leave = (): void => {
      unsubscribe();
      depart();
      this.#open.delete(stream);
    };
    res.once('close', leave);
    try {
      await stream.read();
    } catch (error) {
      leave();
      throw error;
    }
    // Koa has nothing to add; whoever left while we read is gone already.
    ctx.respond = false;
    if (res.closed) return leave();
    stream.start();
    if (this.#closed) return stream.sayGoodbye();
    this.#open.add(stream);
    this.#timer ??= setInterval(() => this.#tick(), TICK).unref();
  }

  /** Ends every stream; their browsers come back a little later, to whichever node is there then. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const stream of this.#open) stream.sayGoodbye();
  }

  #tick(): void {
    const now = this.#clock();
    for (const stream of this.#open) stream.tick(now);
  }
}

class Stream {
  readonly #res: ServerResponse;
  readonly #watching: Watching;
  readonly #views: BrowserViews;
  readonly #clock: Clock;
  readonly #figures: Figures;
  #ticket: Ticket | undefined;
  #started = false;
  #reading = false;
  /** How many signals have arrived: a read that began before the last one may be behind. */
  #heard = 0;
  /** When there is something to say about this ticket although nothing has happened to it. */
  #dueAt = Number.POSITIVE_INFINITY;
  #beatAt: number;
  #readAt: number;

  constructor(res: ServerResponse, watching: Watching, views: BrowserViews, clock: Clock, figures: Figures) {
    this.#res = res;
    this.#watching = watching;
    this.#views = views;
    this.#clock = clock;
    this.#figures = figures;
    this.#beatAt = clock() + HEARTBEAT;
    this.#readAt = clock() + spread(REREAD);
  }

  start(): void {
    this.#res.writeHead(200, HEADERS);
    // Something at once, so that no proxy waits for more before it passes anything on.
    this.#res.write(': here\n\n');
    this.#started = true;
    this.#show(this.#ticket);
  }

  /** A signal: shows the ticket, unless a newer one is known already. */
  hear(ticket: Ticket | undefined): void {
    if (ticket === undefined) {
      this.#readAt = Math.min(this.#readAt, this.#clock() + Math.random() * CATCH_UP_WITHIN);
      return;
    }
    this.#heard += 1;
    if (!isOlder(ticket, this.#ticket)) this.#show(ticket);
  }

  /** Reads what the store has, and shows it where it is news. */
  async read(): Promise<void> {
    this.#reading = true;
    const heard = this.#heard;
    try {
      const ticket = await this.#watching.read();
      const behind = ticket === undefined ? heard !== this.#heard : isOlder(ticket, this.#ticket);
      const now = this.#clock();
      if (!behind && versionAt(ticket, now) !== versionAt(this.#ticket, now)) this.#show(ticket);
    } finally {
      this.#reading = false;
    }
  }

  tick(now: number): void {
    // Ended, but its reader does not take what is left: it is not there any more.
    if (this.#res.writableEnded) this.#res.destroy();
    else if (now >= this.#watching.endsAt) this.#res.end();
    else if (now >= this.#dueAt) this.#show(this.#ticket);
    else if (now >= this.#readAt) this.#reread(now);
    else if (now >= this.#beatAt) this.#write(':\n\n');
  }

  sayGoodbye(): void {
    if (this.#isOver()) return;
    const retry = Math.round(Math.random() * RECONNECT_WITHIN);
    this.#res.end(`retry: ${retry}\n\n`);
  }

  #reread(now: number): void {
    this.#readAt = now + spread(REREAD);
    // Where the store is out of reach, there is no news: the stream goes on, and reads when it is told to, or next time.
    if (!this.#reading) this.read().catch(() => undefined);
  }

  #show(ticket: Ticket | undefined): void {
    const isNews = ticket?.state !== this.#ticket?.state;
    this.#ticket = ticket;
    if (!this.#started) return;
    const now = this.#clock();
    this.#dueAt = this.#views.dueAt(ticket, now);
    this.#views.draw(ticket, now, this.#watching).then(
      (view) => {
        // Drawing takes a moment, in which the ticket may have changed.
        if (this.#ticket !== ticket) return;
        this.#write(`event: ticket\nid: ${view.version}\ndata: ${JSON.stringify(view)}\n\n`);
        if (isNews) this.#figures.notified(ticket, this.#clock());
      },
      (error) => this.#res.destroy(error),
    );
  }

  #write(chunk: string): void {
    if (this.#isOver()) return;
    this.#beatAt = this.#clock() + HEARTBEAT;
    if (this.#res.writableLength > MOST_UNSENT) this.#res.destroy();
    else this.#res.write(chunk);
  }

  /** Writing to a response that has ended would be an error that nobody catches. */
  #isOver(): boolean {
    return this.#res.writableEnded || this.#res.destroyed;
  }
}

/** About as long, but not for everybody the same. */
function spread(milliseconds: number): number {
  return milliseconds * (0.75 + Math.random() / 2);
}

/** A signal may arrive after the read that already saw what came later. */
function isOlder(ticket: Ticket, shown: Ticket | undefined): boolean {
  if (shown === undefined) return false;
  return ticket.id === shown.id ? ticket.version < shown.version : ticket.shownAt < shown.shownAt;
}
