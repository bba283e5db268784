/** A browser's event stream, on a connection of its own. */
import { connect, type Socket } from 'node:net';

/** The ticket as the stream tells it; more of it than this is nobody's concern here. */
export interface Ticket {
  readonly version: number;
  readonly state: string;
  readonly checkCode?: boolean;
  readonly qr?: { readonly url: string };
}

const END_OF_HEAD = '\r\n\r\n';

/** A measure that hangs says nothing: longer than anything here takes, in milliseconds. */
const PATIENCE = 20_000;

export class EventStream {
  readonly #socket: Socket;
  #raw = '';
  #text = '';
  #isChunked: boolean | undefined;
  #latest: Ticket | undefined;
  #expected: { readonly state: string; readonly resolve: (ticket: Ticket) => void } | undefined;
  /** Every state that was told, in order. */
  readonly told: string[] = [];

  constructor(port: number, request: string) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#hear(text));
    // Whoever waits for an event hears of it by its patience.
    this.#socket.on('error', () => undefined);
    this.#socket.write(request, 'latin1');
  }

  /** The ticket once it is in this state. @throws Error where that takes too long */
  reached(state: string): Promise<Ticket> {
    if (this.#latest?.state === state) return Promise.resolve(this.#latest);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${state}, only ${this.told}: ${this.#raw}`)), PATIENCE);
      this.#expected = {
        state,
        resolve: (ticket) => {
          clearTimeout(timer);
          resolve(ticket);
        },
      };
    });
  }

  /** Leaves as a proxy does whose browser has gone: what is on its way still gets read. */
  close(): void {
    this.#socket.end();
  }

  #hear(text: string): void {
    this.#raw += text;
    if (this.#isChunked === undefined) {
      const [head = '', rest] = this.#raw.split(END_OF_HEAD, 2);
      if (rest === undefined || !head.startsWith('HTTP/1.1 200')) return;
      this.#isChunked = /transfer-encoding: chunked/i.test(head);
      this.#raw = this.#raw.slice(head.length + END_OF_HEAD.length);
    }
    const { body, rest } = this.#isChunked ? unchunked(this.#raw) : { body: this.#raw, rest: '' };
    this.#raw = rest;
    this.#text += body;
    const events = this.#text.split('\n\n');
    this.#text = events.pop() ?? '';
    for (const event of events) this.#take(event);
  }

  #take(event: string): void {
    const [, data] = /^data: (.*)$/m.exec(event) ?? [];
    if (data === undefined) return;
    const ticket: Ticket = JSON.parse(data);
    this.#latest = ticket;
    this.told.push(ticket.state);
    if (this.#expected?.state !== ticket.state) return;
    this.#expected.resolve(ticket);
    this.#expected = undefined;
  }
}

/** What is whole of a chunked body, and what is left over of it (RFC 9112, section 7.1). */
function unchunked(text: string): { readonly body: string; readonly rest: string } {
  let body = '';
  let at = 0;
  for (;;) {
    const line = text.indexOf('\r\n', at);
    const size = line < 0 ? Number.NaN : Number.parseInt(text.slice(at, line), 16);
    const begin = line + 2;
    if (!(size > 0) || text.length < begin + size + 2) return { body, rest: text.slice(at) };
    body += text.slice(begin, begin + size);
    at = begin + size + 2;
  }
}
