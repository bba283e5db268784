import type { Socket } from 'node:net';
import type { Connection, ConnectionUser, SocketConnection } from './connection.ts';

/** What Node holds below a socket. Nothing of it is documented, so each part is looked for before it is used. */
interface Handle {
  onread: (this: Handle, data?: ArrayBuffer) => void;
  /** Bytes that the kernel has not taken yet. */
  readonly writeQueueSize: number;
  /** @returns 0 or the number of an error; since Node 26 an object for a write that is still under way */
  writeUtf8String: (request: object | null, text: string) => unknown;
  /** Writes several pieces at once. */
  writev: (request: unknown, ...what: unknown[]) => unknown;
  readStart: () => number;
  close: () => void;
  /** The socket above it, under a symbol of Node's own; later the parked line. */
  [above: symbol]: unknown;
}

const LINE = Symbol('line');

/** Makes what each write takes: an object of a class of Node's own, or null since Node 26. It can only be learned from a write. */
type MakeWriteRequest = () => object | null;

/** The server above a socket, to which each connection counts. */
interface CountingServer {
  _connections: number;
  _emitCloseIfDrained: () => void;
}

/** The insides of a socket. */
interface Insides {
  _handle: unknown;
  _server: unknown;
}

/** Takes the sockets off lines: all that is left of a connection is its handle, which weighs a tenth. */
export class Parking {
  #makeRequest: MakeWriteRequest | undefined;
  #hasWarned = false;

  /** Learns what a write takes from the next one on this socket, unless that is known. */
  learn(socket: Socket): void {
    const handle = insidesOf(socket)._handle;
    if (this.#makeRequest !== undefined || !isHandle(handle)) return;
    const { writev } = handle;
    handle.writev = (request, ...what) => {
      Reflect.deleteProperty(handle, 'writev');
      this.#makeRequest = makerOf(request);
      return writev.call(handle, request, ...what);
    };
  }

  /** The same line without its socket; undefined where that cannot be done: then the socket goes on. */
  park(line: SocketConnection): Connection | undefined {
    const { socket, user } = line;
    const insides = insidesOf(socket);
    const { _handle: handle, _server: server } = insides;
    const makeRequest = this.#makeRequest;
    if (socket.destroyed || socket.writableEnded) return undefined;
    if ('encrypted' in socket || !isHandle(handle) || !isCounting(server) || makeRequest === undefined)
      return this.warn();
    // Somebody who does not read from the start is better watched by Node.
    if (socket.writableLength > 0 || handle.writeQueueSize > 0) return undefined;

    line.leave();
    insides._handle = null;
    insides._server = null;
    // Who keeps account of sockets forgets this one; Node gives its parser to another.
    socket.destroy();
    return new ParkedLine({ handle, server, makeRequest, user }, socket);
  }

  /** Says, once, that there are streams that go on as without it. */
  warn(): undefined {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    process.emitWarning(
      'parkStreams has no effect on some event streams, which go on as without it: it takes plain HTTP/1.1 (leave TLS to a proxy), responses that no middleware of the host has changed, and a Node.js that it knows',
      { type: 'QrLoginWarning', code: 'QR_LOGIN_NOT_PARKED' },
    );
  }
}

interface Parked {
  readonly handle: Handle;
  readonly server: CountingServer;
  readonly makeRequest: MakeWriteRequest;
  readonly user: ConnectionUser;
}

class ParkedLine implements Connection {
  readonly #handle: Handle;
  readonly #server: CountingServer;
  readonly #makeRequest: MakeWriteRequest;
  readonly #user: ConnectionUser;
  isOver = false;
  #isCut = false;

  constructor({ handle, server, makeRequest, user }: Parked, socket: Socket) {
    this.#handle = handle;
    this.#server = server;
    this.#makeRequest = makeRequest;
    this.#user = user;
    // The socket is forgotten, or it would stay as long as its handle.
    for (const symbol of Object.getOwnPropertySymbols(handle)) {
      if (handle[symbol] === socket) handle[symbol] = undefined;
    }
    handle[LINE] = this;
    handle.onread = cutOnRead;
    handle.readStart();
  }

  get unsent(): number {
    return this.#isCut ? 0 : this.#handle.writeQueueSize;
  }

  send(text: string): void {
    const outcome = this.#handle.writeUtf8String(this.#makeRequest(), text);
    if (typeof outcome === 'number' && outcome !== 0) this.cut();
  }

  end(): void {
    this.isOver = true;
    // What is left is waited for: who watches over the lines cuts those off that have ended.
    if (this.unsent === 0) this.cut();
  }

  cut(): void {
    this.isOver = true;
    if (this.#isCut) return;
    this.#isCut = true;
    this.#handle.close();
    this.#server._connections -= 1;
    this.#server._emitCloseIfDrained();
    this.#user.gone();
  }
}

/** Whatever arrives is the end: the other side has gone, or says something where nothing is to be said. */
function cutOnRead(this: Handle): void {
  const line = this[LINE];
  if (line instanceof ParkedLine) line.cut();
}

/** @returns undefined for what no version of Node that we know writes with */
function makerOf(request: unknown): MakeWriteRequest | undefined {
  if (request === null) return () => null;
  if (typeof request !== 'object') return undefined;
  const WriteRequest = request.constructor as new () => object;
  return () => new WriteRequest();
}

function insidesOf(socket: Socket): Insides {
  return socket as unknown as Insides;
}

function isHandle(handle: unknown): handle is Handle {
  if (typeof handle !== 'object' || handle === null) return false;
  const { onread, writeQueueSize, writeUtf8String, writev, readStart, close } = handle as Partial<Handle>;
  const methods = [onread, writeUtf8String, writev, readStart, close];
  return typeof writeQueueSize === 'number' && methods.every((method) => typeof method === 'function');
}

function isCounting(server: unknown): server is CountingServer {
  if (typeof server !== 'object' || server === null) return false;
  const { _connections, _emitCloseIfDrained } = server as Partial<CountingServer>;
  return typeof _connections === 'number' && typeof _emitCloseIfDrained === 'function';
}
