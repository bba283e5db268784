import type { Socket } from 'node:net';
import type { Context } from 'koa';
import { aside } from '../../oidc/aside.ts';
import type { Clock, Listener } from '../../ticket/ports.ts';
import type { Ticket } from '../../ticket/ticket.ts';
import type { Figures } from '../events/metrics.ts';
import { type BrowserView, type BrowserViews, type Shown, shownOf, versionAt } from '../ticket-view/browser-view.ts';
import { type Connection, type ConnectionUser, openConnection, SocketConnection } from './connection.ts';
import type { Parking } from './parked-connection.ts';
import type { TicketWatch } from './ticket-watch.ts';
import type { Timed, TimerWheel } from './timer-wheel.ts';

/** Proxies and browsers give up on a stream that is silent for long. */
const HEARTBEAT = 15_000;
/** Where something may have been missed, it is read within this time, by all streams but not by all at once. */
const CATCH_UP_WITHIN = 1_000;
/** What was sent last has this long to leave. */
const FAREWELL = 250;
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

export interface StreamPorts {
  readonly views: Pick<BrowserViews, 'draw' | 'redraw' | 'dueAt'>;
  readonly clock: Clock;
  readonly figures: Figures;
  /** Undefined where streams keep their sockets. */
  readonly parking: Parking | undefined;
}

/** One browser that waits. There may be ten thousands of them: nothing here holds on to a request, or to a whole ticket for long. */
export class Stream implements Listener, ConnectionUser, Timed {
  readonly #watching: TicketWatch;
  readonly #ports: StreamPorts;
  readonly #wheel: TimerWheel<Stream>;
  /** Undefined until it starts. */
  #line: Connection | undefined;
  /** What it starts with. */
  #first: Ticket | undefined;
  #shown: Shown | undefined;
  #isReading = false;
  #hasGone = false;
  /** How many signals have arrived: a read that began before the last one may be behind. */
  #heard = 0;
  /** When there is something to say about this ticket although nothing has happened to it. */
  #dueAt = Number.POSITIVE_INFINITY;
  #beatAt: number;
  #readAt: number;
  slot: number | undefined = undefined;

  constructor(watching: TicketWatch, ports: StreamPorts, wheel: TimerWheel<Stream>) {
    this.#watching = watching;
    this.#ports = ports;
    this.#wheel = wheel;
    const now = ports.clock();
    this.#beatAt = now + HEARTBEAT;
    this.#readAt = now + spread(watching.rereadEvery);
    // Subscribe, then read, then send: a change in between is seen by one of the two.
    watching.subscribe(this);
    ports.figures.arrived();
  }

  /** Begins to send: something at once, so that no proxy waits for more before it passes anything on; then the whole ticket. */
  start(ctx: Context): void {
    const { views, clock, parking } = this.#ports;
    const first = this.#tell(views.draw(this.#first, clock(), this.#watching));
    this.#first = undefined;
    const onSocket = (socket: Socket): void => parking?.learn(socket);
    const line = openConnection(ctx, { headers: HEADERS, first: `: here\n\n${first}`, user: this, onSocket });
    this.#line = line;
    this.#await();
    if (parking === undefined) return;
    // Once Node has let go of the response, nobody else has business with the socket.
    if (line instanceof SocketConnection) ctx.res.once('close', () => setImmediate(() => this.#park(parking, line)));
    else parking.warn();
  }

  /** A signal: shows the ticket, unless a newer one is known already. */
  hear(ticket: Ticket | undefined): void {
    if (ticket === undefined) {
      this.#readAt = Math.min(this.#readAt, this.#ports.clock() + Math.random() * CATCH_UP_WITHIN);
      this.#await();
      return;
    }
    this.#heard += 1;
    // Whoever has changed the ticket has nothing to do with what becomes of this stream.
    if (!isOlder(ticket, this.#shown)) aside(() => this.#show(ticket));
  }

  /** Reads what the store has, and shows it where it is news. */
  async read(): Promise<void> {
    this.#isReading = true;
    const heard = this.#heard;
    try {
      const ticket = await this.#watching.read();
      const behind = ticket === undefined ? heard !== this.#heard : isOlder(ticket, this.#shown);
      const now = this.#ports.clock();
      if (!behind && versionAt(ticket, now) !== versionAt(this.#shown, now)) this.#show(ticket);
    } finally {
      this.#isReading = false;
    }
  }

  get nextAt(): number {
    return Math.min(this.#dueAt, this.#readAt, this.#beatAt, this.#watching.endsAt);
  }

  tick(now: number): void {
    const line = this.#line;
    if (line === undefined) return;
    // Its reader has ended it, and does not take what is left.
    if (line.isOver) line.cut();
    else if (now >= this.#watching.endsAt) this.#end(line);
    else if (now >= this.#dueAt) this.#showAgain(now);
    else if (now >= this.#readAt) this.#reread(now);
    else if (now >= this.#beatAt) this.#write(':\n\n');
    this.#await();
  }

  sayGoodbye(): void {
    if (this.#line === undefined || this.#line.isOver) return;
    this.#line.send(`retry: ${Math.round(Math.random() * RECONNECT_WITHIN)}\n\n`);
    this.#end(this.#line);
  }

  gone(): void {
    if (this.#hasGone) return;
    this.#hasGone = true;
    this.#watching.unsubscribe(this);
    this.#ports.figures.left();
    this.#wheel.remove(this);
  }

  #end(line: Connection): void {
    line.end();
    // Who does not take what is left is not there any more.
    setTimeout(() => line.cut(), FAREWELL).unref();
  }

  /** Takes its turn when something is due. */
  #await(): void {
    if (this.#line !== undefined && !this.#line.isOver) this.#wheel.put(this);
  }

  #park(parking: Parking, line: SocketConnection): void {
    if (!this.#hasGone) this.#line = parking.park(line) ?? line;
  }

  #reread(now: number): void {
    this.#readAt = now + spread(this.#watching.rereadEvery);
    // Where the store is out of reach, there is no news: the stream goes on, and reads when it is told to, or next time.
    if (!this.#isReading) this.read().catch(() => undefined);
  }

  #show(ticket: Ticket | undefined): void {
    const { views, figures, clock } = this.#ports;
    const isNews = ticket?.state !== this.#shown?.state;
    this.#shown = ticket && shownOf(ticket);
    if (this.#line === undefined) {
      this.#first = ticket;
      return;
    }
    this.#write(this.#tell(views.draw(ticket, clock(), this.#watching)));
    this.#await();
    if (isNews) figures.notified(ticket, clock());
  }

  #showAgain(now: number): void {
    if (this.#shown === undefined) return;
    this.#write(this.#tell(this.#ports.views.redraw(this.#shown, now, this.#watching)));
  }

  /** The event, as it goes over the wire; after that, nothing is due until the next one. */
  #tell(view: BrowserView): string {
    this.#dueAt = this.#ports.views.dueAt(this.#shown, this.#ports.clock());
    return `event: ticket\nid: ${view.version}\ndata: ${JSON.stringify(view)}\n\n`;
  }

  #write(text: string): void {
    const line = this.#line;
    if (line === undefined || line.isOver) return;
    this.#beatAt = this.#ports.clock() + HEARTBEAT;
    if (line.unsent > MOST_UNSENT) line.cut();
    else line.send(text);
  }
}

/** About as long, but not for everybody the same. */
function spread(milliseconds: number): number {
  return milliseconds * (0.75 + Math.random() / 2);
}

/** A signal may arrive after the read that already saw what came later. */
function isOlder(ticket: Ticket, shown: Shown | undefined): boolean {
  if (shown === undefined) return false;
  return ticket.id === shown.id ? ticket.version < shown.version : ticket.shownAt < shown.shownAt;
}
