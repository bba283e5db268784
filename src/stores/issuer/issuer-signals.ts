import type { Listener, Signals } from '../../ticket/ports.ts';
import type { Ticket } from '../../ticket/ticket.ts';
import { ownTicket } from './issuer-tickets.ts';

/** The signals of an issuer's tickets. Changes of other issuers' tickets are not passed on. */
export class IssuerSignals implements Signals {
  readonly #signals: Signals;
  readonly #issuer: string;
  /** The listener that is subscribed to the store's signals, for each listener of this issuer. */
  readonly #inner = new WeakMap<Listener, IssuerListener>();

  constructor(signals: Signals, issuer: string) {
    this.#signals = signals;
    this.#issuer = issuer;
  }

  get rereadEvery(): number {
    return this.#signals.rereadEvery;
  }

  subscribe(interaction: string, listener: Listener): void {
    const inner = this.#inner.get(listener) ?? new IssuerListener(listener, this.#issuer);
    this.#inner.set(listener, inner);
    this.#signals.subscribe(interaction, inner);
  }

  unsubscribe(interaction: string, listener: Listener): void {
    const inner = this.#inner.get(listener);
    if (inner !== undefined) this.#signals.unsubscribe(interaction, inner);
  }
}

class IssuerListener implements Listener {
  readonly #listener: Listener;
  readonly #issuer: string;

  constructor(listener: Listener, issuer: string) {
    this.#listener = listener;
    this.#issuer = issuer;
  }

  hear(stored: Ticket | undefined): void {
    const ticket = ownTicket(stored, this.#issuer);
    // To a listener, undefined means that a change may have been missed. So a change of another issuer's ticket must
    // not reach the listener as undefined.
    if (ticket !== undefined || stored === undefined) this.#listener.hear(ticket);
  }
}
