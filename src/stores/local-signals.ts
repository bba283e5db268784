import type { Listener, Signals } from '../ticket/ports.ts';
import type { Ticket } from '../ticket/ticket.ts';

/** Signals within one process. */
export class LocalSignals implements Signals {
  readonly #listeners = new Map<string, Set<Listener>>();

  publish(ticket: Ticket): void {
    for (const listener of this.#listeners.get(ticket.interaction) ?? []) listener(ticket);
  }

  /** Tells everybody who watches this interaction that something may have been missed. */
  doubt(interaction: string): void {
    for (const listener of this.#listeners.get(interaction) ?? []) listener(undefined);
  }

  subscribe(interaction: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(interaction) ?? new Set();
    this.#listeners.set(interaction, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(interaction) === listeners) this.#listeners.delete(interaction);
    };
  }

  isWatched(interaction: string): boolean {
    return this.#listeners.has(interaction);
  }

  /** The interactions that somebody watches. */
  watched(): Iterable<string> {
    return this.#listeners.keys();
  }
}
