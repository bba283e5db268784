import type { Listener, Signals } from '../ticket/ports.ts';
import type { Ticket } from '../ticket/ticket.ts';

/** Signals within one process. */
export class LocalSignals implements Signals {
  /** Nothing gets lost here. */
  readonly rereadEvery = 60_000;
  /** Hardly any interaction has a second one, and a set for each would weigh more than the rest. */
  readonly #listeners = new Map<string, Listener | readonly Listener[]>();

  publish(ticket: Ticket): void {
    for (const listener of this.#of(ticket.interaction)) listener.hear(ticket);
  }

  /** Tells everybody who watches this interaction that something may have been missed. */
  doubt(interaction: string): void {
    for (const listener of this.#of(interaction)) listener.hear(undefined);
  }

  subscribe(interaction: string, listener: Listener): void {
    this.#keep(interaction, [...this.#of(interaction), listener]);
  }

  unsubscribe(interaction: string, listener: Listener): void {
    this.#keep(
      interaction,
      this.#of(interaction).filter((other) => other !== listener),
    );
  }

  isWatched(interaction: string): boolean {
    return this.#listeners.has(interaction);
  }

  /** The interactions that somebody watches. */
  watched(): Iterable<string> {
    return this.#listeners.keys();
  }

  #of(interaction: string): readonly Listener[] {
    const listeners = this.#listeners.get(interaction) ?? [];
    return 'hear' in listeners ? [listeners] : listeners;
  }

  #keep(interaction: string, [first, ...others]: readonly Listener[]): void {
    if (first === undefined) this.#listeners.delete(interaction);
    else this.#listeners.set(interaction, others.length === 0 ? first : [first, ...others]);
  }
}
