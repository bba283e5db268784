/** Reads the event stream of a page, and keeps the latest ticket. */
import type { EventStream } from '../support/agent.ts';

/** Below Mocha's time-out, so that the error names the missing ticket. */
const PATIENCE_MS = 50_000;

export type TicketView = Record<string, unknown>;

export class TicketStream {
  latest: TicketView | undefined;
  ended = false;
  readonly #stream: EventStream;
  #onNews: () => void = () => undefined;

  constructor(stream: EventStream) {
    this.#stream = stream;
    void this.#listen();
  }

  /**
   * Waits until the stream shows a certain ticket, or has ended.
   * @param within the longest wait in milliseconds
   * @throws Error if neither happens in that time
   */
  async waitFor(what: string, isIt: (ticket: TicketView) => boolean, within: number = PATIENCE_MS): Promise<void> {
    const latest = performance.now() + within;
    while (!this.ended && !(this.latest && isIt(this.latest))) {
      const left = latest - performance.now();
      if (left <= 0) throw new Error(`after ${within} ms the stream shows ${this.#description}, not ${what}`);
      await this.#news(left);
    }
  }

  close(): void {
    this.#stream.close();
  }

  get #description(): string {
    return `${this.latest?.state} (version ${this.latest?.version})`;
  }

  async #listen(): Promise<void> {
    try {
      for (;;) this.#receive(await this.#stream.ticket());
    } catch {
      this.ended = true;
    }
    this.#onNews();
  }

  #receive(ticket: TicketView): void {
    this.latest = ticket;
    this.#onNews();
  }

  #news(within: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, within);
      this.#onNews = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
