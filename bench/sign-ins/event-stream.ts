/** Reads the event stream of a browser on a separate connection. */
import { connect, type Socket } from 'node:net';

/** The fields of the ticket in an event that the bench uses. */
export interface Ticket {
  readonly version: number;
  readonly state: string;
  /** True if the browser asks for the check code. */
  readonly checkCode?: boolean;
  readonly qr?: { readonly url: string };
}

const END_OF_HEAD = '\r\n\r\n';

/** The longest wait for an event. Nothing in a measure takes that long, so a hanging measure ends with an error. */
const PATIENCE_MS = 20_000;

export class EventStream {
  readonly #socket: Socket;
  #raw = '';
  #text = '';
  #isChunked: boolean | undefined;
  #latest: Ticket | undefined;
  #expected: { readonly state: string; readonly resolve: (ticket: Ticket) => void } | undefined;
  /** The states of all events so far, in order. */
  readonly states: string[] = [];

  constructor(port: number, request: string) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#hear(text));
    // A caller that waits for an event fails after PATIENCE_MS.
    this.#socket.on('error', () => undefined);
    this.#socket.write(request, 'latin1');
  }

  /** Returns the ticket once it is in this state. @throws Error if that takes longer than 20 s */
  waitUntilReached(state: string): Promise<Ticket> {
    if (this.#latest?.state === state) return Promise.resolve(this.#latest);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`the ticket did not become ${state}, but only ${this.states}: ${this.#raw}`)),
        PATIENCE_MS,
      );
      this.#expected = {
        state,
        resolve: (ticket) => {
          clearTimeout(timer);
          resolve(ticket);
        },
      };
    });
  }

  /** Closes the sending side, as a proxy does after its browser has gone. Data that is under way is still read. */
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
    const { body, rest } = this.#isChunked ? decodeChunks(this.#raw) : { body: this.#raw, rest: '' };
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
    this.states.push(ticket.state);
    if (this.#expected?.state !== ticket.state) return;
    this.#expected.resolve(ticket);
    this.#expected = undefined;
  }
}

/** Decodes the complete chunks of a chunked body, and returns the rest undecoded (RFC 9112, section 7.1). */
function decodeChunks(text: string): { readonly body: string; readonly rest: string } {
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
