/** Sends prepared requests on keep-alive connections. This client uses less CPU than the servers that it measures. */
import { connect, type Socket } from 'node:net';
import { sourceAddress } from './source-address.ts';

export interface Answer {
  readonly status: number;
  /** The status line and the header fields, unchanged. */
  readonly head: string;
  /** The body, decoded as Latin-1. */
  readonly body: string;
}

const END_OF_HEAD = '\r\n\r\n';
const END_OF_CHUNKS = '0\r\n\r\n';

class Connection {
  readonly #socket: Socket;
  #received = '';
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1').on('data', (text: string) => this.#read(text));
    socket.on('error', () => undefined).on('close', () => this.#waiting?.reject(new Error('the server hung up')));
  }

  get isOpen(): boolean {
    return this.#socket.writable;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Sends a request. The caller must wait for the answer before it sends the next one. */
  send(request: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(request, 'latin1');
    });
  }

  #read(text: string): void {
    this.#received += text;
    const ends = this.#received.indexOf(END_OF_HEAD);
    if (ends === -1) return;
    const head = this.#received.slice(0, ends);
    const body = this.#received.slice(ends + END_OF_HEAD.length);
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    if (length === undefined ? hasChunks(head) && !body.endsWith(END_OF_CHUNKS) : body.length < Number(length)) return;
    this.#received = '';
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve({ status: Number(head.slice(9, 12)), head, body });
  }
}

function hasChunks(head: string): boolean {
  return /\r\ntransfer-encoding: chunked/i.test(head);
}

/** A pool of connections to one port. It opens as many as there are simultaneous requests. */
export class Connections {
  readonly #port: number;
  readonly #idle: Connection[] = [];
  #opened = 0;

  constructor(port: number) {
    this.#port = port;
  }

  /** Sends a request on an idle connection, or on a new one. @throws Error if the server hangs up */
  async send(request: string): Promise<Answer> {
    const connection = this.#take() ?? (await this.#open());
    const answer = await connection.send(request);
    this.#idle.push(connection);
    return answer;
  }

  /** Closes the idle connections. */
  close(): void {
    for (const connection of this.#idle.splice(0)) connection.close();
  }

  #take(): Connection | undefined {
    let connection = this.#idle.pop();
    while (connection?.isOpen === false) connection = this.#idle.pop();
    return connection;
  }

  #open(): Promise<Connection> {
    this.#opened += 1;
    const localAddress = sourceAddress(this.#opened);
    return new Promise((resolve, reject) => {
      const socket = connect({ port: this.#port, host: '127.0.0.1', localAddress, noDelay: true }, () =>
        resolve(new Connection(socket)),
      );
      socket.once('error', reject);
    });
  }
}
