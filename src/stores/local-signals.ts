import type { Listener, Signals } from '../ticket/ports.ts';
import { isNewer } from '../ticket/record-format.ts';
import type { Ticket } from '../ticket/ticket.ts';

/** Signals within one process. */
export class LocalSignals implements Signals {
  /** The time between two re-reads, in milliseconds. It may be long, because no signal gets lost within a process. */
  readonly rereadEvery = 60_000;
  /** A single listener is stored without an array: few interactions have a second one, and this saves memory. */
  readonly #listeners = new Map<string, Listener | readonly Listener[]>();

  /** Passes a changed ticket on. If only a newer build can act on it, the listeners learn that they missed a change. */
  publish(ticket: Ticket): void {
    const heard = isNewer(ticket) ? undefined : ticket;
    for (const listener of this.#listenersOf(ticket.interaction)) listener.hear(heard);
  }

  /** Tells all listeners of this interaction that they may have missed a change. */
  doubt(interaction: string): void {
    for (const listener of this.#listenersOf(interaction)) listener.hear(undefined);
  }

  subscribe(interaction: string, listener: Listener): void {
    this.#keep(interaction, [...this.#listenersOf(interaction), listener]);
  }

  unsubscribe(interaction: string, listener: Listener): void {
    this.#keep(
      interaction,
      this.#listenersOf(interaction).filter((other) => other !== listener),
    );
  }

  isWatched(interaction: string): boolean {
    return this.#listeners.has(interaction);
  }

  /** Returns the interactions that have a listener. */
  watchedInteractions(): Iterable<string> {
    return this.#listeners.keys();
  }

  #listenersOf(interaction: string): readonly Listener[] {
    const listeners = this.#listeners.get(interaction) ?? [];
    return 'hear' in listeners ? [listeners] : listeners;
  }

  #keep(interaction: string, [first, ...others]: readonly Listener[]): void {
    if (first === undefined) this.#listeners.delete(interaction);
    else this.#listeners.set(interaction, others.length === 0 ? first : [first, ...others]);
  }
}
