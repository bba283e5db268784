import { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import { Socket } from 'node:net';
import type { Context } from 'koa';

/** A connection to one waiting browser. Text can be sent until either side closes it. */
export interface Connection {
  /** The number of bytes that were passed to `send` and are still buffered in this process. */
  readonly unsent: number;
  /** True once either side has ended it. Nothing may be sent then. */
  readonly isOver: boolean;
  send(text: string): void;
  /** Ends it after the buffered text has been written. */
  end(): void;
  /** Ends it at once. Buffered text is lost. */
  cut(): void;
}

/** The owner of a connection. */
export interface ConnectionUser {
  /** Called once when either side has closed the connection. */
  handleClose(): void;
}

/**
 * The way in which an event stream is written. `light` writes to the bare socket where that is possible, and releases
 * the request and the response. `plain` uses the response that Node has made.
 */
export type StreamStyle = 'light' | 'plain';

export interface ConnectionOptions {
  readonly style: StreamStyle;
  /** Added to the headers that the response has already. */
  readonly headers: Readonly<Record<string, string>>;
  /** The text that is sent at once. */
  readonly first: string;
  readonly user: ConnectionUser;
  /** Called with the socket right before the first write to it. */
  readonly onSocket?: (socket: Socket) => void;
}

/** The sockets that carry a stream. They serve no other request until they close. */
const streamSockets = new WeakSet<Socket>();

/** The methods that a response writes with. A middleware that replaces one of them must see what is written. */
const WRITERS = ['write', 'writeHead', 'end'] as const;

/** Headers that contradict a body which ends with the connection. */
const BODY_HEADERS = ['Transfer-Encoding', 'Content-Length', 'Trailer', 'Keep-Alive'];

/**
 * Answers the request with a body that stays open, and takes the response over from Koa. In the style `light` it uses
 * the bare socket if possible, and the response otherwise.
 */
export function openConnection(ctx: Context, { style, headers, first, user, onSocket }: ConnectionOptions): Connection {
  const { res } = ctx;
  const socket = style === 'light' ? bareSocket(ctx) : undefined;
  if (socket === undefined) {
    const connection = new ResponseConnection(res.writeHead(200, headers), user);
    connection.send(first);
    return connection;
  }
  streamSockets.add(socket);
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  onSocket?.(socket);
  // Sends head and first text in one piece: ending the response uncorks the socket.
  socket.cork();
  socket.write(`${headOf(res)}: `, 'latin1');
  endResponse(res, socket, first);
  return new SocketConnection(socket, user);
}

/**
 * Returns true if the connection carries another response that comes first or is a stream. Browsers do not cause that:
 * they send no second request before the first is answered. Node emits no `close` on such a response when its
 * connection closes.
 */
export function isBehindAnother({ req, res }: Context): boolean {
  const { socket } = req;
  const waitsInTurn = res.socket === null && socket instanceof Socket && (socket.destroyed || !socket.pending);
  return waitsInTurn || streamSockets.has(socket);
}

/** Returns true if the client has closed its connection, so that this response cannot be delivered. */
export function hasLeft(res: ServerResponse | Http2ServerResponse): boolean {
  return 'stream' in res ? res.stream.destroyed : res.destroyed;
}

/**
 * A connection on the response itself: in the style `plain`, for HTTP/2, and if a middleware has replaced methods of
 * the response.
 */
class ResponseConnection implements Connection {
  readonly #res: ServerResponse;

  constructor(res: ServerResponse, user: ConnectionUser) {
    this.#res = res;
    res.once('close', () => user.handleClose());
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

/** A connection on the bare socket. Request and response, which take as much memory again, have been released. */
export class SocketConnection implements Connection {
  readonly socket: Socket;
  readonly user: ConnectionUser;
  readonly #onClose: () => void;

  constructor(socket: Socket, user: ConnectionUser) {
    this.socket = socket;
    this.user = user;
    this.#onClose = () => user.handleClose();
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

  /** Stops listening to the socket: its `close` no longer calls `handleClose`. */
  leave(): void {
    this.socket.off('close', this.#onClose);
  }
}

/**
 * Returns the request's socket if the response writes straight to it: the request is not HTTP/2, no middleware has
 * replaced the methods that write the response, and the runtime serves HTTP through its sockets.
 */
function bareSocket({ req, res }: Context): Socket | undefined {
  const isOurs = res instanceof ServerResponse && !res.headersSent && res.socket === req.socket;
  const isTouched = WRITERS.some((method) => res[method] !== ServerResponse.prototype[method]);
  return isOurs && !isTouched && req.socket instanceof Socket && servesHttp(req.socket) ? req.socket : undefined;
}

/**
 * Returns true in Node and Deno, whose HTTP server reads requests from the socket. Bun has a socket for each request,
 * but drops the head that is written to it.
 */
function servesHttp(socket: Socket): boolean {
  return process.versions.bun === undefined && socket.listenerCount('data') > 0;
}

/** Returns the head of a response with a body that ends with the connection (RFC 9112, section 6.3). */
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
 * Ends the response that Node holds for this request. Node then releases the request and the response, as it does after
 * any answer. The head that Node writes for the response arrives inside the body, as a comment and two fields without a
 * meaning. A reader of Server-Sent Events ignores them (WHATWG HTML, section 9.2.6).
 */
function endResponse(res: ServerResponse, socket: Socket, first: string): void {
  for (const name of res.getHeaderNames()) res.removeHeader(name);
  res.sendDate = false;
  res.once('close', () => takeOver(socket));
  res.writeHead(200, { 'Content-Length': Buffer.byteLength(first), Connection: 'keep-alive' });
  res.end(first);
}

/**
 * Takes the socket away from Node, which considers the connection idle from now on. Otherwise Node would end it after
 * the keep-alive timeout, or write the answer to another request into the stream.
 */
function takeOver(socket: Socket): void {
  socket.setTimeout(0);
  // Add ours before the others are removed: a list of listeners that was empty for a moment takes 700 bytes more.
  const others = socket.rawListeners('data');
  socket.on('data', hangUp);
  for (const other of others) socket.off('data', other as () => void);
}

/** Ends the connection: a browser has nothing to send while it reads a stream. */
function hangUp(this: Socket): void {
  this.destroy();
}
