import type { BrowserActs, BrowserIdentity } from '../../ticket/browser.ts';
import type { Listener, Signals } from '../../ticket/ports.ts';
import type { Ticket } from '../../ticket/ticket.ts';
import type { ShownTicket, Viewer } from '../ticket-view/browser-view.ts';

/** The ports that a watch reads and subscribes with. */
export interface TicketWatchPorts {
  readonly browser: Pick<BrowserActs, 'look'>;
  readonly signals: Signals;
}

/** A client that waits for changes of a ticket. An event stream keeps this in place of the request. */
export interface Watch {
  /** The moment when the waiting ends, in milliseconds since the epoch. */
  readonly endsAt: number;
  /**
   * The interval in milliseconds at which to read the ticket even if no signal has come, because signals may be lost.
   */
  readonly rereadEvery: number;
  read(): Promise<Ticket | undefined>;
  subscribe(listener: Listener): void;
  unsubscribe(listener: Listener): void;
}

/** Draws tickets for one kind of waiting clients. */
export interface WatchViews<Kind extends Watch> {
  draw(ticket: Ticket | undefined, now: number, watch: Kind): { readonly version: number };
  /**
   * Returns the new view of a ticket that has not changed since it was shown. It is called at the time that `dueAt`
   * returned.
   */
  redraw(shown: ShownTicket, now: number, watch: Kind): { readonly version: number };
  /**
   * Returns the time at which a client must get the ticket again although it has not changed, in milliseconds since the
   * epoch.
   */
  dueAt(ticket: ShownTicket | undefined, now: number): number;
}

/** A waiting browser. */
export class TicketWatch implements Viewer, Watch {
  readonly #ports: TicketWatchPorts;
  readonly #identity: BrowserIdentity;
  readonly svg: boolean;
  /** The end of the interaction. */
  readonly endsAt: number;

  constructor(ports: TicketWatchPorts, identity: BrowserIdentity, { svg, endsAt }: { svg: boolean; endsAt: number }) {
    this.#ports = ports;
    this.#identity = identity;
    this.svg = svg;
    this.endsAt = endsAt;
  }

  get accountId(): string | undefined {
    return this.#identity.accountId;
  }

  get rereadEvery(): number {
    return this.#ports.signals.rereadEvery;
  }

  read(): Promise<Ticket | undefined> {
    return this.#ports.browser.look(this.#identity);
  }

  subscribe(listener: Listener): void {
    this.#ports.signals.subscribe(this.#identity.interaction, listener);
  }

  unsubscribe(listener: Listener): void {
    this.#ports.signals.unsubscribe(this.#identity.interaction, listener);
  }
}
