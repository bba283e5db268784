import type { BrowserActs, BrowserIdentity } from '../../ticket/browser.ts';
import type { Listener, Signals } from '../../ticket/ports.ts';
import type { Ticket } from '../../ticket/ticket.ts';
import type { Viewer } from '../ticket-view/browser-view.ts';

/** The ports that a watch reads and subscribes with. */
export interface TicketWatchPorts {
  readonly browser: Pick<BrowserActs, 'look'>;
  readonly signals: Signals;
}

/** A waiting browser and the ticket that it waits for: all that is kept of its request meanwhile. */
export class TicketWatch implements Viewer {
  readonly #ports: TicketWatchPorts;
  readonly #identity: BrowserIdentity;
  readonly svg: boolean;
  /** The moment when the interaction ends, and the waiting with it, in milliseconds since the epoch. */
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

  /**
   * The interval in milliseconds at which to read the ticket even if no signal has come, because signals may be lost.
   */
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
