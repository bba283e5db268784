import type { Signals } from '../ticket/ports.ts';
import type { Ticket } from '../ticket/ticket.ts';

type Listener = (ticket: Ticket) => void;

/** Signals within one process. */
export class LocalSignals implements Signals {
  readonly #listeners = new Map<string, Set<Listener>>();

  async publish(ticket: Ticket): Promise<void> {
    for (const listener of this.#listeners.get(ticket.interaction) ?? []) listener(ticket);
  }

  subscribe(interaction: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(interaction) ?? new Set();
    this.#listeners.set(interaction, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(interaction) === listeners) this.#listeners.delete(interaction);
    };
  }
}
