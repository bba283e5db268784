import { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Context } from 'koa';

/** The way to one browser: text goes out on it until one side ends it. */
export interface Line {
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
export interface LineUser {
  /** Told once, when the line has ended, from whichever side. */
  gone(): void;
}

/** Sockets whose response is a stream for good: whoever asks for something more on one of them is no browser. */
const taken = new WeakSet<Socket>();

/**
 * Answers the request with a body that goes on, and takes that over from whoever made the context.
 * @param headers beside those that the response has already
 */
export function openLine(ctx: Context, headers: Readonly<Record<string, string>>, user: LineUser): Line {
  const { res } = ctx;
  const socket = bareSocket(ctx);
  if (socket === undefined) return new ResponseLine(res.writeHead(200, headers), user);
  if (taken.has(socket)) {
    socket.destroy();
    return new SocketLine(socket, user);
  }
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  taken.add(socket);
  const line = new SocketLine(socket, user);
  socket.write(headOf(res));
  release(res, socket);
  return line;
}

/** The line to a browser as a response, which is what a connection is with HTTP/2, or with somebody's hands on it. */
class ResponseLine implements Line {
  readonly #res: ServerResponse;

  constructor(res: ServerResponse, user: LineUser) {
    this.#res = res;
    res.once('close', () => user.gone());
  }

  get unsent(): number {
    return this.#res.writableLength;
  }

  get isOver(): boolean {
    return this.#res.writableEnded || this.#res.destroyed;
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
export class SocketLine implements Line {
  readonly socket: Socket;
  readonly user: LineUser;
  readonly #onClose: () => void;

  constructor(socket: Socket, user: LineUser) {
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
  const isTouched = ['write', 'writeHead', 'end'].some((method) => Object.hasOwn(res, method));
  return isOurs && !isTouched && req.socket instanceof Socket ? req.socket : undefined;
}

/**
 * The head of an answer whose body ends with the connection (RFC 9112, section 6.3). It ends in the beginning of a comment, for
 * {@link release}.
 */
function headOf(res: ServerResponse): string {
  res.setHeader('Date', new Date().toUTCString());
  res.setHeader('Connection', 'close');
  const lines = Object.entries(res.getHeaders()).flatMap(([name, value]) =>
    [value].flat().map((one) => `${name}: ${one}\r\n`),
  );
  return `HTTP/1.1 200 OK\r\n${lines.join('')}\r\n: `;
}

/**
 * Ends the response that Node holds for this request, so that it lets go of both, as it would after any answer. The few bytes that
 * it writes for that, a status line and two headers, arrive inside the body, where they are a comment and fields that nobody
 * knows: what reads Server-Sent Events passes over them.
 */
function release(res: ServerResponse, socket: Socket): void {
  for (const name of res.getHeaderNames()) res.removeHeader(name);
  res.sendDate = false;
  // To Node this connection is idle from now on, which it would end after a while.
  res.once('close', () => socket.setTimeout(0));
  res.writeHead(200, { 'Content-Length': 0, Connection: 'keep-alive' });
  res.end();
}
