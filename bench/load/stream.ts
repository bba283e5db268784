/** Reads the event stream of a browser on a bare socket. All streams share one read buffer. */
import { connect, type Socket } from 'node:net';
import { type Sender, type Site, scriptRequest } from './chromium.ts';
import { sourceAddress } from './source-address.ts';

/** A browser that is not signed in yet. */
export interface Person extends Sender {
  /** The uid of its interaction. */
  readonly uid: string;
}

/** Totals of all streams. */
export interface Traffic {
  bytes: number;
  events: number;
  /** The number of streams that ended although the browser did not leave. */
  lost: number;
}

interface AwaitedText {
  readonly text: string;
  readonly resolve: (at: number) => void;
  readonly reject: (error: Error) => void;
}

const buffer = Buffer.allocUnsafe(64 * 1024);
const GOOD = 'HTTP/1.1 200';
const EXPIRED = '"state":"expired"';
const END_OF_EVENT = '\n\n';
let opened = 0;

export class Stream {
  readonly person: Person;
  readonly #socket: Socket;
  readonly #traffic: Traffic;
  #tail = '';
  #started = false;
  #awaited: AwaitedText | undefined;
  #hasLeft = false;

  constructor(site: Site, person: Person, traffic: Traffic) {
    this.person = person;
    this.#traffic = traffic;
    const path = `/interaction/${person.uid}/qr/events?svg=no`;
    const request = scriptRequest(site, path, { ...person, accept: 'text/event-stream' });
    opened += 1;
    this.#socket = connect({
      port: site.port,
      host: '127.0.0.1',
      localAddress: sourceAddress(opened),
      onread: { buffer, callback: (length) => this.#read(length) },
    });
    this.#socket.on('error', () => undefined).on('close', () => this.#handleClose());
    this.#socket.write(request, 'latin1');
  }

  /**
   * Waits for the next event that shows this state.
   * @returns the time at which it arrived, by `performance.now()`
   * @throws Error if the stream ends before that, or if the answer is not a stream
   */
  waitUntilShown(state: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#awaited = { text: `"state":"${state}"`, resolve, reject };
    });
  }

  leave(): void {
    this.#hasLeft = true;
    this.#socket.destroy();
  }

  #read(length: number): boolean {
    const now = performance.now();
    const text = this.#tail + buffer.toString('latin1', 0, length);
    if (!this.#started && !text.startsWith(GOOD)) this.#awaited?.reject(new Error(`no stream: ${text.slice(0, 300)}`));
    this.#started = true;
    this.#traffic.bytes += length;
    // Only complete events are searched. The rest is kept until more arrives.
    const end = text.lastIndexOf(END_OF_EVENT) + END_OF_EVENT.length;
    this.#tail = end > 1 ? text.slice(end) : text;
    this.#traffic.events += countOf('event: ticket', text) - countOf('event: ticket', this.#tail);
    if (text.includes(EXPIRED)) this.#awaited?.reject(new Error('a ticket has expired: this machine was too slow'));
    const awaited = this.#awaited;
    if (awaited !== undefined && text.indexOf(awaited.text) !== -1 && text.indexOf(awaited.text) < end) {
      this.#awaited = undefined;
      awaited.resolve(now);
    }
    return true;
  }

  #handleClose(): void {
    if (this.#hasLeft) return;
    this.#traffic.lost += 1;
    this.#awaited?.reject(new Error('the stream has ended'));
  }
}

function countOf(part: string, text: string): number {
  let times = 0;
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) times += 1;
  return times;
}
