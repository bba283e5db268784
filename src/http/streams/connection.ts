import { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import { Socket } from 'node:net';
import type { Context } from 'koa';

/** The way to one browser: text goes out on it until one side ends it. */
export interface Connection {
  /** How many bytes have been sent but have not left yet. */
  readonly unsent: number;
  /** Whether it was ended, from whichever side: nothing may be sent any more. */
  readonly isOver: boolean;
  send(text: string): void;
  /** Ends it once what was sent has left. */
  end(): void;
  /** Ends it now. */
  cut(): void;
}

/** Who uses a line. */
export interface ConnectionUser {
  /** Told once, when the line has ended, from whichever side. */
  gone(): void;
}

export interface Opening {
  /** Beside those that the response has already. */
  readonly headers: Readonly<Record<string, string>>;
  /** What is sent at once. */
  readonly first: string;
  readonly user: ConnectionUser;
  /** Told of a socket right before something is written to it. */
  readonly onSocket?: (socket: Socket) => void;
}

/** Sockets whose response is a stream for good. */
const taken = new WeakSet<Socket>();

/** What a response writes with. */
const WRITERS = ['write', 'writeHead', 'end'] as const;

/** Said of a body in another way than by the end of the connection. */
const BODY_HEADERS = ['Transfer-Encoding', 'Content-Length', 'Trailer', 'Keep-Alive'];

/** Answers the request with a body that goes on, and takes that over from whoever made the context. */
export function openConnection(ctx: Context, { headers, first, user, onSocket }: Opening): Connection {
  const { res } = ctx;
  const socket = bareSocket(ctx);
  if (socket === undefined) {
    const line = new ResponseLine(res.writeHead(200, headers), user);
    line.send(first);
    return line;
  }
  taken.add(socket);
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  onSocket?.(socket);
  // All of it leaves in one piece, with the response's end.
  socket.cork();
  socket.write(`${headOf(res)}: `, 'latin1');
  release(res, socket, first);
  return new SocketConnection(socket, user);
}

/**
 * Whether there is another answer on the same connection, which comes first or is a stream: no browser sends a second request
 * before the first is answered. Node does not tell such a response when its connection closes.
 */
export function isBehindAnother({ req, res }: Context): boolean {
  const { socket } = req;
  const waitsInTurn = res.socket === null && socket instanceof Socket && (socket.destroyed || !socket.pending);
  return waitsInTurn || taken.has(socket);
}

/** Whether nobody is there any more to get this answer. */
export function hasLeft(res: ServerResponse | Http2ServerResponse): boolean {
  return 'stream' in res ? res.stream.destroyed : res.destroyed;
}

/** The line to a browser as a response, which is what a connection is with HTTP/2, or with somebody's hands on it. */
class ResponseLine implements Connection {
  readonly #res: ServerResponse;

  constructor(res: ServerResponse, user: ConnectionUser) {
    this.#res = res;
    res.once('close', () => user.gone());
  }

  get unsent(): number {
    return this.#res.writableLength;
  }

  get isOver(): boolean {
    return this.#res.writableEnded || hasLeft(this.#res);
  }

  send(text: string): void {
    this.#res.write(text);
  }

  end(): void {
    this.#res.end();
  }

  cut(): void {
    this.#res.destroy();
  }
}

/** The line to a browser as a socket alone: its request and response, which weigh as much again, have been let go. */
export class SocketConnection implements Connection {
  readonly socket: Socket;
  readonly user: ConnectionUser;
  readonly #onClose: () => void;

  constructor(socket: Socket, user: ConnectionUser) {
    this.socket = socket;
    this.user = user;
    this.#onClose = () => user.gone();
    socket.once('close', this.#onClose);
  }

  get unsent(): number {
    return this.socket.writableLength;
  }

  get isOver(): boolean {
    return this.socket.writableEnded || this.socket.destroyed;
  }

  send(text: string): void {
    this.socket.write(text);
  }

  end(): void {
    this.socket.end();
  }

  cut(): void {
    this.socket.destroy();
  }

  /** Does not mind any more what becomes of the socket. */
  leave(): void {
    this.socket.off('close', this.#onClose);
  }
}

/** The request's own socket, where nobody stands between it and the response: no HTTP/2, no middleware that writes for it. */
function bareSocket({ req, res }: Context): Socket | undefined {
  const isOurs = res instanceof ServerResponse && !res.headersSent && res.socket === req.socket;
  const isTouched = WRITERS.some((method) => res[method] !== ServerResponse.prototype[method]);
  return isOurs && !isTouched && req.socket instanceof Socket ? req.socket : undefined;
}

/** The head of an answer whose body ends with the connection (RFC 9112, section 6.3). */
function headOf(res: ServerResponse): string {
  if (res.sendDate && !res.hasHeader('Date')) res.setHeader('Date', new Date().toUTCString());
  res.setHeader('Connection', 'close');
  for (const name of BODY_HEADERS) res.removeHeader(name);
  const lines = Object.entries(res.getHeaders()).flatMap(([name, value]) =>
    [value].flat().map((one) => `${name}: ${one}\r\n`),
  );
  return `HTTP/1.1 200 OK\r\n${lines.join('')}\r\n`;
}

/**
 * Ends the response that Node holds for this request, so that it lets go of both, as it would after any answer. The head that it
 * writes for that arrives inside the body, where it is a comment and two fields without a meaning: what reads Server-Sent Events
 * passes over them.
 */
function release(res: ServerResponse, socket: Socket, first: string): void {
  for (const name of res.getHeaderNames()) res.removeHeader(name);
  res.sendDate = false;
  res.once('close', () => own(socket));
  res.writeHead(200, { 'Content-Length': Buffer.byteLength(first), Connection: 'keep-alive' });
  res.end(first);
}

/** To Node this connection is idle from now on: it would end it after a while, or answer another request into the stream. */
function own(socket: Socket): void {
  socket.setTimeout(0);
  // Theirs go after ours has come: a list of listeners that was empty for a moment weighs 700 bytes more.
  const others = socket.rawListeners('data');
  socket.on('data', hangUp);
  for (const other of others) socket.off('data', other as () => void);
}

/** Nothing is to be said on a stream by who reads it. */
function hangUp(this: Socket): void {
  this.destroy();
}
