/** HTTP/1.1 over plain sockets: as little work as possible, so that what is measured is the server. */
import { connect, type Socket } from 'node:net';

/** An answer as it came over the wire: each byte of the body a character. */
export interface Answer {
  readonly status: number;
  /** By their names in lower case; of several with one name, the last. */
  readonly headers: ReadonlyMap<string, string>;
  readonly cookies: readonly string[];
  readonly body: string;
}

/** The head of an answer, and where its body begins. */
interface Head extends Omit<Answer, 'body'> {
  readonly end: number;
}

const END_OF_HEAD = '\r\n\r\n';

export function headIn(text: string): Head | undefined {
  const end = text.indexOf(END_OF_HEAD);
  if (end < 0) return undefined;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = new Map<string, string>();
  const cookies: string[] = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'set-cookie') cookies.push(value);
    else headers.set(name, value);
  }
  return { status: Number(first.slice(9, 12)), headers, cookies, end: end + END_OF_HEAD.length };
}

/** What is whole of a chunked body, what is left over of it, and whether that is all (RFC 9112, section 7.1). */
export function unchunked(text: string): { readonly body: string; readonly rest: string; readonly isAll: boolean } {
  let body = '';
  let at = 0;
  for (;;) {
    const line = text.indexOf('\r\n', at);
    const size = line < 0 ? Number.NaN : Number.parseInt(text.slice(at, line), 16);
    const begin = line + 2;
    if (Number.isNaN(size) || text.length < begin + size + 2) return { body, rest: text.slice(at), isAll: false };
    body += text.slice(begin, begin + size);
    at = begin + size + 2;
    if (size === 0) return { body, rest: text.slice(at), isAll: true };
  }
}

/** The answer, once it is whole. */
function answerIn(text: string): Answer | undefined {
  const head = headIn(text);
  if (head === undefined) return undefined;
  if (head.headers.get('transfer-encoding') === 'chunked') {
    const { body, isAll } = unchunked(text.slice(head.end));
    return isAll ? { ...head, body } : undefined;
  }
  const length = Number(head.headers.get('content-length') ?? 0);
  return text.length < head.end + length ? undefined : { ...head, body: text.slice(head.end, head.end + length) };
}

interface Asked {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** A connection that is kept, for one request after the other. */
class Connection {
  readonly #socket: Socket;
  #received = '';
  #asked: Asked | undefined;
  isOpen = true;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#hear(text));
    this.#socket.on('error', (error) => this.#asked?.reject(error));
    this.#socket.on('close', () => {
      this.isOpen = false;
      this.#asked?.reject(new Error('the server has closed the connection'));
    });
  }

  ask(request: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#asked = { resolve, reject };
      this.#socket.write(request, 'latin1');
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #hear(text: string): void {
    this.#received += text;
    const answer = answerIn(this.#received);
    if (answer === undefined) return;
    this.#received = '';
    const asked = this.#asked;
    this.#asked = undefined;
    asked?.resolve(answer);
  }
}

/** A server, over as many connections as there are requests at a time: as a proxy keeps them. */
export class Server {
  readonly port: number;
  readonly #idle: Connection[] = [];

  constructor(port: number) {
    this.port = port;
  }

  async ask(request: string): Promise<Answer> {
    let connection = this.#idle.pop();
    while (connection?.isOpen === false) connection = this.#idle.pop();
    connection ??= new Connection(this.port);
    const answer = await connection.ask(request);
    this.#idle.push(connection);
    return answer;
  }

  close(): void {
    for (const connection of this.#idle.splice(0)) connection.close();
  }
}

/** What one address is served by: a server, or several in turn. */
export class Site {
  /** What people's browsers know it as: the issuer's origin. */
  readonly origin: string;
  readonly #servers: readonly Server[];
  #turn = 0;

  /** @param ports of the servers on this machine */
  constructor(origin: string, ports: readonly number[]) {
    this.origin = origin;
    this.#servers = ports.map((port) => new Server(port));
  }

  /** Whose turn it is. */
  get server(): Server {
    this.#turn = (this.#turn + 1) % this.#servers.length;
    const server = this.#servers[this.#turn];
    if (server === undefined) throw new Error('a site needs a server');
    return server;
  }

  close(): void {
    for (const server of this.#servers) server.close();
  }
}
