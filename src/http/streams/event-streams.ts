import { AsyncResource } from 'node:async_hooks';
import type { Context } from 'koa';
import { hasLeft, isBehindAnother } from './connection.ts';
import { Stream, type StreamPorts } from './stream.ts';
import type { TicketWatch } from './ticket-watch.ts';
import { TimerWheel } from './timer-wheel.ts';

/** How often the one timer writes to those that are due: never to many at once. */
const TICK = 20;

/** The streams that browsers wait on: Server-Sent Events, on one timer for all of them. */
export class EventStreams {
  readonly #ports: StreamPorts;
  readonly #wheel: TimerWheel<Stream>;
  /** Bound, as the timer would keep and act in whatever a host has in its AsyncLocalStorage for the first request. */
  readonly #startTimer = AsyncResource.bind(() => setInterval(() => this.#tick(), TICK).unref());
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(ports: StreamPorts) {
    this.#ports = ports;
    this.#wheel = new TimerWheel(TICK, ports.clock());
  }

  /** Takes the answer over and writes to it from now on: the whole state at once, then whatever changes. */
  async open(ctx: Context, watching: TicketWatch): Promise<void> {
    // Koa has nothing to add.
    ctx.respond = false;
    if (isBehindAnother(ctx)) {
      ctx.req.socket.destroy();
      return;
    }
    const stream = new Stream(watching, this.#ports, this.#wheel);
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
    if (this.#closed) return stream.sayGoodbye();
    this.#timer ??= this.#startTimer();
  }

  /** Ends every stream; their browsers come back a little later, to whichever node is there then. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const stream of this.#wheel.all()) stream.sayGoodbye();
  }

  #tick(): void {
    this.#wheel.turn(this.#ports.clock());
    // While nobody waits, nothing wakes this process up.
    if (!this.#wheel.isEmpty) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
