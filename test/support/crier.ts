/** A server of event streams in which a test decides the content, the length and the time of each event. */
import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import Koa from 'koa';
import { SignInMetrics } from '../../src/http/events/metrics.ts';
import { EventStreams } from '../../src/http/streams/event-streams.ts';
import { ConnectionParker } from '../../src/http/streams/parked-connection.ts';
import { TicketWatch } from '../../src/http/streams/ticket-watch.ts';
import type { BrowserView } from '../../src/http/ticket-view/browser-view.ts';
import { LocalSignals } from '../../src/stores/local-signals.ts';
import type { Ticket } from '../../src/ticket/ticket.ts';
import { waiting } from '../ticket/builders.ts';
import { StillClock } from './clock.ts';
import { type RunningServer, serve } from './server.ts';
import { until } from './until.ts';
import { Wire } from './wire.ts';

export const REQUEST = 'GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n';

export class Crier {
  readonly clock: StillClock = new StillClock();
  readonly signals: LocalSignals = new LocalSignals();
  readonly streams: EventStreams;
  /** The sockets that the server has accepted and the responses that it has begun, in order. */
  readonly sockets: Socket[] = [];
  readonly responses: ServerResponse[] = [];
  /** A request listener that answers with a stream. Tests may use it in a server of their own. */
  readonly handle: RequestListener;
  /** A callback for each time that a stream reads its ticket. */
  onRead: () => void = () => undefined;
  readonly #app = new Koa();
  readonly #figures = new SignInMetrics();
  readonly #endsAt = this.clock.now() + 3_600_000;
  #running: RunningServer | undefined;
  #ticket: Ticket = waiting();
  #filler = '';
  #held: Promise<void> | undefined;

  private constructor(parkStreams: boolean) {
    this.streams = new EventStreams({
      views: {
        draw: (ticket) => this.#draw(ticket),
        redraw: () => this.#draw(this.#ticket),
        dueAt: () => Number.POSITIVE_INFINITY,
      },
      clock: this.clock.now,
      metrics: this.#figures,
      style: 'light',
      parker: parkStreams ? new ConnectionParker() : undefined,
    });
    this.#app.use((ctx) => this.streams.open(ctx, this.#watching()));
    this.#app.on('error', () => undefined);
    this.handle = this.#app.callback();
  }

  static async start(parkStreams: boolean): Promise<Crier> {
    const crier = new Crier(parkStreams);
    crier.#running = await serve(() => ({ app: crier.#app }));
    crier.server.on('connection', (socket) => crier.sockets.push(socket));
    crier.server.prependListener('request', (_request, response) => crier.responses.push(response));
    return crier;
  }

  get server(): Server {
    if (this.#running === undefined) throw new Error('the server was not started');
    return this.#running.server;
  }

  get origin(): string {
    return this.#running?.origin ?? '';
  }

  get waiting(): number {
    return this.#figures.waiting;
  }

  get version(): number {
    return this.#ticket.version;
  }

  /** Connects a browser. Resolves when it has received its first event. */
  async connectBrowser(...more: Parameters<typeof Wire.to> extends [string, ...infer M] ? M : never): Promise<Wire> {
    const wire = await Wire.to(this.origin, ...more);
    wire.send(REQUEST);
    await wire.untilSeen(`"version":${this.version}`);
    return wire;
  }

  /**
   * Publishes the next version of the ticket.
   * @param length the number of meaningless characters that make its event longer
   */
  publish(length: number = 0): void {
    this.#filler = 'x'.repeat(length);
    this.#ticket = { ...this.#ticket, version: this.#ticket.version + 1 } as Ticket;
    this.signals.publish(this.#ticket);
  }

  /** Blocks all reads of the ticket from now on. @returns a function that unblocks them */
  holdReads(): () => void {
    let release: () => void = () => undefined;
    this.#held = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }

  async stop(): Promise<void> {
    this.streams.close();
    await until(() => this.waiting === 0);
    await this.#running?.stop();
  }

  #watching(): TicketWatch {
    const look = async (): Promise<Ticket> => {
      this.onRead();
      await this.#held;
      return this.#ticket;
    };
    const identity = { interaction: this.#ticket.interaction, binding: 'binding' };
    return new TicketWatch({ browser: { look }, signals: this.signals }, identity, { svg: true, endsAt: this.#endsAt });
  }

  #draw(ticket: Ticket | undefined): BrowserView {
    const view = { version: ticket?.version ?? 0, state: 'waiting' as const, expiresIn: 0 };
    return { ...view, qr: { url: this.#filler, rotatesIn: 0 } };
  }
}
