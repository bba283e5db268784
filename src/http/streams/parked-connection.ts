import type { Socket } from 'node:net';
import type { Connection, ConnectionUser, SocketConnection } from './connection.ts';

/**
 * The handle that Node holds below a socket. It is not documented, so each member is checked before use (`isHandle`).
 */
interface Handle {
  onread: (this: Handle, data?: ArrayBuffer) => void;
  /** The number of bytes that the kernel has not taken yet. */
  readonly writeQueueSize: number;
  /** @returns 0 or the number of an error; since Node 26 an object for a write that is still under way */
  writeUtf8String: (request: object | null, text: string) => unknown;
  /** Writes several chunks at once. */
  writev: (request: unknown, ...what: unknown[]) => unknown;
  readStart: () => number;
  close: () => void;
  /** The socket above the handle, under a symbol of Node. After parking: the parked connection. */
  [above: symbol]: unknown;
}

const CONNECTION = Symbol('connection');

/**
 * Returns a new write request, which every write takes: an object of an internal class of Node, or null since Node 26.
 * The class can only be learned from a write.
 */
type MakeWriteRequest = () => object | null;

/** The server above a socket, which counts its connections. Both members are internals of Node. */
interface CountingServer {
  _connections: number;
  _emitCloseIfDrained: () => void;
}

/** Internal members of a socket. */
interface SocketInternals {
  _handle: unknown;
  _server: unknown;
}

/** Removes the socket from connections and keeps its handle only, which takes a tenth of the memory. */
export class ConnectionParker {
  #makeRequest: MakeWriteRequest | undefined;
  #hasWarned = false;

  /** Learns from the next write on this socket how to make a write request, unless that is known already. */
  learn(socket: Socket): void {
    const handle = internalsOf(socket)._handle;
    if (this.#makeRequest !== undefined || !isHandle(handle)) return;
    const { writev } = handle;
    handle.writev = (request, ...what) => {
      Reflect.deleteProperty(handle, 'writev');
      this.#makeRequest = makerOf(request);
      return writev.call(handle, request, ...what);
    };
  }

  /**
   * Returns the same connection without its socket, or undefined if that is not possible and the socket stays in use.
   */
  park(connection: SocketConnection): Connection | undefined {
    const { socket, user } = connection;
    const insides = internalsOf(socket);
    const { _handle: handle, _server: server } = insides;
    const makeRequest = this.#makeRequest;
    if (socket.destroyed || socket.writableEnded) return undefined;
    if ('encrypted' in socket || !isHandle(handle) || !isCounting(server) || makeRequest === undefined)
      return this.warn();
    // Keep the socket of a browser that has not read the first text: a socket copes with a slow reader better than its
    // bare handle does.
    if (socket.writableLength > 0 || handle.writeQueueSize > 0) return undefined;

    connection.leave();
    insides._handle = null;
    insides._server = null;
    // Code that tracks open sockets now gets `close` and forgets this one, and Node can reuse the HTTP parser.
    socket.destroy();
    return new ParkedConnection({ handle, server, makeRequest, user }, socket);
  }

  /** Emits one warning per instance: some streams cannot be parked and keep their sockets. */
  warn(): undefined {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    process.emitWarning(
      'parkStreams has no effect on some event streams, which keep their sockets: it needs plain HTTP/1.1 (leave TLS to a proxy), responses that no middleware of the host has changed, and a Node.js version whose internals it knows',
      { type: 'QrLoginWarning', code: 'QR_LOGIN_NOT_PARKED' },
    );
  }
}

interface ConnectionParts {
  readonly handle: Handle;
  readonly server: CountingServer;
  readonly makeRequest: MakeWriteRequest;
  readonly user: ConnectionUser;
}

class ParkedConnection implements Connection {
  readonly #handle: Handle;
  readonly #server: CountingServer;
  readonly #makeRequest: MakeWriteRequest;
  readonly #user: ConnectionUser;
  isOver = false;
  #isCut = false;

  constructor({ handle, server, makeRequest, user }: ConnectionParts, socket: Socket) {
    this.#handle = handle;
    this.#server = server;
    this.#makeRequest = makeRequest;
    this.#user = user;
    // Drop the handle's reference to the socket, so that the socket can be garbage-collected before the handle.
    for (const symbol of Object.getOwnPropertySymbols(handle)) {
      if (handle[symbol] === socket) handle[symbol] = undefined;
    }
    handle[CONNECTION] = this;
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
    // If some text is unsent, it still goes out, and the stream cuts the connection a moment later.
    if (this.unsent === 0) this.cut();
  }

  cut(): void {
    this.isOver = true;
    if (this.#isCut) return;
    this.#isCut = true;
    this.#handle.close();
    this.#server._connections -= 1;
    this.#server._emitCloseIfDrained();
    this.#user.handleClose();
  }
}

/**
 * Ends the connection when anything arrives: the other side has closed it, or has sent data that a stream does not
 * expect.
 */
function cutOnRead(this: Handle): void {
  const connection = this[CONNECTION];
  if (connection instanceof ParkedConnection) connection.cut();
}

/**
 * Learns from a write request how to make others.
 * @returns undefined if the request is not of a form that a known version of Node uses
 */
function makerOf(request: unknown): MakeWriteRequest | undefined {
  if (request === null) return () => null;
  if (typeof request !== 'object') return undefined;
  const WriteRequest = request.constructor as new () => object;
  return () => new WriteRequest();
}

function internalsOf(socket: Socket): SocketInternals {
  return socket as unknown as SocketInternals;
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
