/** Reports a ticket from its event stream, and ends a stream that is silent for too long. */
import { NO_PICTURE, type Ticket } from './ticket.ts';
import { whenWoken } from './visibility.ts';

export interface Watcher {
  onTicket: (ticket: Ticket) => void;
  /** Called when the server is silent for too long. The next ticket shows that the server answers again. */
  onSilence: () => void;
  /** Called when the interaction has ended. The watching ends, too. */
  onGone: () => void;
}

/**
 * The reason for which a stream has ended.
 *
 * - `held back`: no event came at all.
 * - `silent`: no event came after the first one.
 * - `refused`: the server refused the stream.
 * - `broken`: the stream ended after it had worked, or it was aborted.
 */
export type StreamEnd = 'held back' | 'silent' | 'refused' | 'broken';

/** The server sends an event at once. If none arrives in this time, a proxy holds the stream back. */
const FIRST_EVENT_WITHIN_MS = 5_000;
/** The server sends something at least every 15 s, and sends each new code when the previous one ends. */
const LONGEST_SILENCE_MS = 20_000;
/** An event may be this late, for example on a slow network. */
const LATE_MS = 5_000;
/** A connection that may have died is kept if it had an event within this time. */
export const RECENT_MS = 3_000;

/** Reports the tickets of an event stream until it ends. @param interactionUrl the URL of the interaction */
export function streamTicket(interactionUrl: string, watcher: Watcher, until: AbortSignal): Promise<StreamEnd> {
  return new Promise((resolve) => new TicketStream(interactionUrl, watcher, resolve).run(until));
}

class TicketStream {
  readonly #source: EventSource;
  readonly #watcher: Watcher;
  readonly #resolve: (end: StreamEnd) => void;
  readonly #ended = new AbortController();
  #events = 0;
  #heardAt: number = Date.now();
  /** The end of the most recently reported code or state, at which the server must report the next one. */
  #nextAt = Number.POSITIVE_INFINITY;
  #timer = 0;

  constructor(interactionUrl: string, watcher: Watcher, resolve: (end: StreamEnd) => void) {
    this.#source = new EventSource(`${interactionUrl}/qr/events?${NO_PICTURE}`);
    this.#watcher = watcher;
    this.#resolve = resolve;
  }

  run(until: AbortSignal): void {
    const signal = this.#ended.signal;
    this.#source.addEventListener('ticket', (event) => {
      const ticket: Ticket = JSON.parse(event.data);
      this.#nextAt = Date.now() + secondsToNext(ticket) * 1000;
      this.#hear();
      this.#watcher.onTicket(ticket);
    });
    this.#source.addEventListener('heartbeat', () => this.#hear());
    this.#source.addEventListener('error', () => {
      // If the stream is not closed, the browser reconnects by itself.
      if (this.#source.readyState === EventSource.CLOSED) this.#end(this.#events === 0 ? 'refused' : 'broken');
    });
    whenWoken(() => {
      if (this.#events > 0 && Date.now() - this.#heardAt > RECENT_MS) this.#end('broken');
    }, signal);
    until.addEventListener('abort', () => this.#end('broken'), { signal });
    this.#wait();
  }

  #hear(): void {
    this.#events += 1;
    this.#heardAt = Date.now();
    this.#wait();
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const longest = this.#events === 0 ? FIRST_EVENT_WITHIN_MS : LONGEST_SILENCE_MS;
    this.#timer = setTimeout(() => this.#endSilence(), Math.min(longest, this.#nextAt + LATE_MS - Date.now()));
  }

  #endSilence(): void {
    this.#watcher.onSilence();
    if (this.#events === 0) this.#end('held back');
    else this.#end(this.#events === 1 ? 'silent' : 'broken');
  }

  #end(end: StreamEnd): void {
    clearTimeout(this.#timer);
    this.#ended.abort();
    this.#source.close();
    this.#resolve(end);
  }
}

/** Returns the seconds until the server must report the next code or state; infinite if it need not. */
function secondsToNext({ state, expiresIn, qr }: Ticket): number {
  return qr?.rotatesIn ?? (state === 'scanned' || state === 'approved' ? expiresIn : Number.POSITIVE_INFINITY);
}
