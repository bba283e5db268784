import { AsyncResource } from 'node:async_hooks';
import type { Context } from 'koa';
import type { Clock } from '../ticket/ports.ts';
import type { BrowserViews } from './browser-view.ts';
import type { Figures } from './figures.ts';
import { hasLeft, isBehindAnother } from './line.ts';
import type { Parking } from './parking.ts';
import { Stream } from './stream.ts';
import type { Watching } from './watching.ts';

/** How often the one timer looks at streams: at one slice of them, so that those that are due are not written to all at once. */
const TICK = 20;
/** Each stream is looked at every quarter of a second. */
const SLICES = 12;

export interface EventStreamPorts {
  readonly views: Pick<BrowserViews, 'draw' | 'redraw' | 'dueAt'>;
  readonly clock: Clock;
  readonly figures: Figures;
  /** Undefined where streams keep their sockets. */
  readonly parking: Parking | undefined;
}

/** The streams that browsers wait on: Server-Sent Events, on one timer for all of them. */
export class EventStreams {
  readonly #ports: EventStreamPorts;
  readonly #slices = Array.from({ length: SLICES }, () => new Set<Stream>());
  /** Bound, as the timer would keep and act in whatever a host has in its AsyncLocalStorage for the first request. */
  readonly #startTimer = AsyncResource.bind(() => setInterval(() => this.#tick(), TICK).unref());
  #opened = 0;
  #ticks = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(ports: EventStreamPorts) {
    this.#ports = ports;
  }

  /** Takes the answer over and writes to it from now on: the whole state at once, then whatever changes. */
  async open(ctx: Context, watching: Watching): Promise<void> {
    // Koa has nothing to add.
    ctx.respond = false;
    if (isBehindAnother(ctx)) {
      ctx.req.socket.destroy();
      return;
    }
    const stream = new Stream(watching, this.#ports, this.#sliceOf(this.#opened++));
    const leave = (): void => stream.gone();
    ctx.res.once('close', leave);
    try {
      await stream.read();
      // Whoever left before there was a listener has not been heard.
      if (hasLeft(ctx.res)) return leave();
      stream.start(ctx);
    } catch (error) {
      leave();
      ctx.respond = true;
      throw error;
    } finally {
      ctx.res.off('close', leave);
    }
    this.#timer ??= this.#startTimer();
    if (this.#closed) stream.sayGoodbye();
  }

  /** Ends every stream; their browsers come back a little later, to whichever node is there then. */
  close(): void {
    this.#closed = true;
    for (const slice of this.#slices) for (const stream of slice) stream.sayGoodbye();
  }

  #sliceOf(number: number): Set<Stream> {
    return this.#slices[number % SLICES] ?? new Set();
  }

  #tick(): void {
    const now = this.#ports.clock();
    for (const stream of this.#sliceOf(this.#ticks++)) stream.tick(now);
    // Until then, those are cut off that do not take what is left.
    if (!this.#closed || this.#slices.some(({ size }) => size > 0)) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
