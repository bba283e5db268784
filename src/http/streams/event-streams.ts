import { AsyncResource } from 'node:async_hooks';
import type { Context } from 'koa';
import { hasLeft, isBehindAnother } from './connection.ts';
import { Stream, type StreamPorts } from './stream.ts';
import type { TicketWatch, Watch } from './ticket-watch.ts';
import { TimerWheel } from './timer-wheel.ts';

/** The interval of the timer that all streams share. It is short, so that one tick writes to few streams. */
const TICK_MS = 20;

/** The event streams (Server-Sent Events) of all waiting clients of a kind. One timer serves all of them. */
export class EventStreams<Kind extends Watch = TicketWatch> {
  readonly #ports: StreamPorts<Kind>;
  readonly #wheel: TimerWheel<Stream<Kind>>;
  /**
   * Starts the timer in the asynchronous context in which this object is made. Otherwise the timer would keep, and run
   * with, the data that the host has in its AsyncLocalStorage for the first request.
   */
  readonly #startTimer = AsyncResource.bind(() => setInterval(() => this.#tick(), TICK_MS).unref());
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(ports: StreamPorts<Kind>) {
    this.#ports = ports;
    this.#wheel = new TimerWheel(TICK_MS, ports.clock());
  }

  /** Takes the response over from Koa, and sends the whole ticket at once, then every change. */
  async open(ctx: Context, watch: Kind): Promise<void> {
    // The stream writes the response; Koa must not end it.
    ctx.respond = false;
    if (isBehindAnother(ctx)) {
      ctx.req.socket.destroy();
      return;
    }
    const stream = new Stream(watch, this.#ports, this.#wheel);
    const onClose = (): void => stream.handleClose();
    ctx.res.once('close', onClose);
    try {
      await stream.read();
      // The listener was not called if the browser left before it was added.
      if (hasLeft(ctx.res)) return onClose();
      stream.start(ctx);
    } catch (error) {
      onClose();
      ctx.respond = true;
      throw error;
    } finally {
      ctx.res.off('close', onClose);
    }
    if (this.#closed) return stream.sayGoodbye();
    this.#timer ??= this.#startTimer();
  }

  /** Ends every stream. The browsers reconnect within two seconds, to any node that is running then. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const stream of this.#wheel.all()) stream.sayGoodbye();
  }

  #tick(): void {
    this.#wheel.turn(this.#ports.clock());
    // Do not wake an idle process.
    if (!this.#wheel.isEmpty) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
