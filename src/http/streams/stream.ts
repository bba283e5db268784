import type { Socket } from 'node:net';
import type { Context } from 'koa';
import { callListener } from '../../oidc/call-listener.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { Clock, Listener } from '../../ticket/ports.ts';
import type { Ticket } from '../../ticket/ticket.ts';
import type { WaitMetrics } from '../events/metrics.ts';
import { type ShownTicket, shownTicketOf, versionAt } from '../ticket-view/browser-view.ts';
import {
  type Connection,
  type ConnectionUser,
  openConnection,
  SocketConnection,
  type StreamStyle,
} from './connection.ts';
import type { ConnectionParker } from './parked-connection.ts';
import type { TicketWatch, Watch, WatchViews } from './ticket-watch.ts';
import type { TimerWheel, WheelEntry } from './timer-wheel.ts';

/** The longest silence. Proxies and browsers give up on a stream that is silent for long. */
const HEARTBEAT_MS = 15_000;
/** After a change may have been missed, each stream reads the ticket at a random moment within this time. */
const CATCH_UP_WITHIN_MS = 1_000;
/** The time to write the last event before the connection is cut. */
const FAREWELL_MS = 250;
/** A connection with more unsent bytes than this is cut: its browser does not read any more. */
const MAX_UNSENT_BYTES = 64 * 1024;
/** After a node has stopped, each of its browsers reconnects after a random delay of at most this. */
const RECONNECT_WITHIN_MS = 2_000;

/**
 * A heartbeat is an event, because scripts cannot see comments. A page ends a stream that brings no event for
 * `LONGEST_SILENCE_MS` (client/ticket/ticket-stream.ts), and connects again.
 */
const HEARTBEAT = 'event: heartbeat\ndata:\n\n';

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
  'X-Content-Type-Options': 'nosniff',
};

export interface StreamPorts<Kind extends Watch = TicketWatch> {
  readonly views: WatchViews<Kind>;
  readonly clock: Clock;
  readonly metrics: WaitMetrics;
  readonly style: StreamStyle;
  /** Replaces the `Socket` of a stream by its bare handle, to save memory; undefined if streams keep their `Socket`. */
  readonly parker: ConnectionParker | undefined;
}

/**
 * The event stream of one waiting client. A process may have tens of thousands of them, so a stream does not keep the
 * request, and keeps a whole ticket only for a moment.
 */
export class Stream<Kind extends Watch = TicketWatch> implements Listener, ConnectionUser, WheelEntry {
  readonly #watch: Kind;
  readonly #ports: StreamPorts<Kind>;
  readonly #wheel: TimerWheel<Stream<Kind>>;
  /** Undefined until the stream starts. */
  #connection: Connection | undefined;
  /** The ticket to start with. */
  #first: Ticket | undefined;
  #shown: ShownTicket | undefined;
  #isReading = false;
  #hasGone = false;
  /**
   * The number of signals with a ticket so far. If it grows during a read that finds no ticket, that result is
   * outdated.
   */
  #signalCount = 0;
  /** The time to send the ticket again although it has not changed: its code rotates, or its state ends. */
  #dueAt = Number.POSITIVE_INFINITY;
  #heartbeatAt: number;
  #readAt: number;
  slot: number | undefined = undefined;

  constructor(watch: Kind, ports: StreamPorts<Kind>, wheel: TimerWheel<Stream<Kind>>) {
    this.#watch = watch;
    this.#ports = ports;
    this.#wheel = wheel;
    const now = ports.clock();
    this.#heartbeatAt = now + HEARTBEAT_MS;
    this.#readAt = now + randomizeInterval(watch.rereadEvery);
    // Subscribe, then read, then send: a change in between is noticed by the subscription or by the read.
    watch.subscribe(this);
    ports.metrics.countArrival();
  }

  /**
   * Starts sending: first a comment, so that no proxy waits for more data before it passes the response on, then the
   * whole ticket.
   */
  start(ctx: Context): void {
    const { views, clock, style, parker } = this.#ports;
    const first = this.#formatEvent(views.draw(this.#first, clock(), this.#watch));
    this.#first = undefined;
    const onSocket = (socket: Socket): void => parker?.learn(socket);
    const options = { style, headers: HEADERS, first: `: here\n\n${first}`, user: this, onSocket };
    const connection = openConnection(ctx, options);
    this.#connection = connection;
    this.#schedule();
    if (parker === undefined) return;
    // Park only after Node has released the response: until then other code may still use the socket.
    if (connection instanceof SocketConnection)
      ctx.res.once('close', () => setImmediate(() => this.#park(parker, connection)));
    else parker.warn();
  }

  /**
   * Handles a signal: sends the ticket, unless a newer one was sent already. A signal without a ticket says that a
   * change may have been missed, so the stream reads the ticket soon.
   */
  hear(ticket: Ticket | undefined): void {
    if (ticket === undefined) {
      this.#readAt = Math.min(this.#readAt, this.#ports.clock() + Math.random() * CATCH_UP_WITHIN_MS);
      this.#schedule();
      return;
    }
    this.#signalCount += 1;
    // An error of this stream must not reach the code that has changed the ticket.
    if (!isOlder(ticket, this.#shown)) callListener(() => this.#show(ticket));
  }

  /** Reads the ticket from the store, and sends it if the browser does not know this version. */
  async read(): Promise<void> {
    this.#isReading = true;
    const signalsBefore = this.#signalCount;
    try {
      const ticket = await this.#watch.read();
      const isOutdated = ticket === undefined ? signalsBefore !== this.#signalCount : isOlder(ticket, this.#shown);
      const now = this.#ports.clock();
      if (!isOutdated && versionAt(ticket, now) !== versionAt(this.#shown, now)) this.#show(ticket);
    } finally {
      this.#isReading = false;
    }
  }

  get nextAt(): number {
    return Math.min(this.#dueAt, this.#readAt, this.#heartbeatAt, this.#watch.endsAt);
  }

  tick(now: number): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    // The connection was ended earlier, for example by `sayGoodbye`: give up what the browser has not read.
    if (connection.isOver) connection.cut();
    else if (now >= this.#watch.endsAt) this.#end(connection);
    else if (now >= this.#dueAt) this.#showAgain(now);
    else if (now >= this.#readAt) this.#reread(now);
    else if (now >= this.#heartbeatAt) this.#write(HEARTBEAT);
    this.#schedule();
  }

  sayGoodbye(): void {
    if (this.#connection === undefined || this.#connection.isOver) return;
    this.#connection.send(`retry: ${Math.round(Math.random() * RECONNECT_WITHIN_MS)}\n\n`);
    this.#end(this.#connection);
  }

  handleClose(): void {
    if (this.#hasGone) return;
    this.#hasGone = true;
    this.#watch.unsubscribe(this);
    this.#ports.metrics.countDeparture();
    this.#wheel.remove(this);
  }

  #end(connection: Connection): void {
    connection.end();
    // After this time, a browser that has not read the rest is not expected to read it any more.
    setTimeout(() => connection.cut(), FAREWELL_MS).unref();
  }

  /** Puts the stream on the wheel for its next event, read or heartbeat. */
  #schedule(): void {
    if (this.#connection !== undefined && !this.#connection.isOver) this.#wheel.put(this);
  }

  #park(parker: ConnectionParker, connection: SocketConnection): void {
    if (!this.#hasGone) this.#connection = parker.park(connection) ?? connection;
  }

  #reread(now: number): void {
    this.#readAt = now + randomizeInterval(this.#watch.rereadEvery);
    if (!this.#isReading) this.read().catch((error: unknown) => this.#handleReadError(error));
  }

  /**
   * Handles an error of a read. If the store cannot be reached, the stream goes on, and reads again at the next signal
   * or after `rereadEvery`. If only a newer build can read the ticket, the browser has to reconnect until it gets to a
   * node with that build.
   */
  #handleReadError(error: unknown): void {
    if (error instanceof QrLoginError && error.code === 'newer_record') this.sayGoodbye();
  }

  #show(ticket: Ticket | undefined): void {
    const { views, metrics, clock } = this.#ports;
    const hasNewState = ticket?.state !== this.#shown?.state;
    this.#shown = ticket && shownTicketOf(ticket);
    if (this.#connection === undefined) {
      this.#first = ticket;
      return;
    }
    this.#write(this.#formatEvent(views.draw(ticket, clock(), this.#watch)));
    this.#schedule();
    if (hasNewState) metrics.recordNotification(ticket, clock());
  }

  #showAgain(now: number): void {
    if (this.#shown === undefined) return;
    this.#write(this.#formatEvent(this.#ports.views.redraw(this.#shown, now, this.#watch)));
  }

  /** Returns the event in the form of Server-Sent Events, and sets the time at which the ticket must be sent again. */
  #formatEvent(view: { readonly version: number }): string {
    this.#dueAt = this.#ports.views.dueAt(this.#shown, this.#ports.clock());
    return `event: ticket\nid: ${view.version}\ndata: ${JSON.stringify(view)}\n\n`;
  }

  #write(text: string): void {
    const connection = this.#connection;
    if (connection === undefined || connection.isOver) return;
    this.#heartbeatAt = this.#ports.clock() + HEARTBEAT_MS;
    if (connection.unsent > MAX_UNSENT_BYTES) connection.cut();
    else connection.send(text);
  }
}

/** Returns a random time between 75 % and 125 % of the given one, so that streams do not all read at once. */
function randomizeInterval(milliseconds: number): number {
  return milliseconds * (0.75 + Math.random() / 2);
}

/**
 * Returns true if the ticket is older than the shown one: a signal may arrive after a read that returned a later
 * version.
 */
function isOlder(ticket: Ticket, shown: ShownTicket | undefined): boolean {
  if (shown === undefined) return false;
  return ticket.id === shown.id ? ticket.version < shown.version : ticket.shownAt < shown.shownAt;
}
