/** A TCP proxy that simulates a bad network between two processes: slow, cut, or a black hole. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { DelayLine } from './delay-line.ts';
import { LOOPBACK } from './server.ts';

interface Pair {
  readonly sockets: readonly [Socket, Socket];
  readonly lines: readonly [DelayLine, DelayLine];
  /** The first line of the last request, if the connection carries HTTP. */
  lastRequest: string;
}

export class TcpProxy {
  readonly port: number;
  /** The delay of each round trip in milliseconds. */
  latency = 0;
  readonly #target: { readonly port: number; readonly host: string };
  readonly #pairs = new Set<Pair>();
  #server: Server;
  #frozen = false;

  private constructor(target: { readonly port: number; readonly host: string }, server: Server) {
    this.#target = target;
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => this.#connect(socket));
  }

  /** @param host the host of the target */
  static async start(target: number, host: string = LOOPBACK): Promise<TcpProxy> {
    return new TcpProxy({ port: target, host }, await listen(0));
  }

  /** The number of open connections. */
  get connections(): number {
    return [...this.#pairs].filter(({ sockets }) => sockets.some(({ destroyed }) => !destroyed)).length;
  }

  /** Resets all connections, and refuses new ones. */
  async cut(): Promise<void> {
    const closed = this.#server.listening ? once(this.#server, 'close') : undefined;
    this.#server.close();
    for (const { sockets } of this.#pairs) for (const socket of sockets) socket.resetAndDestroy();
    await closed;
  }

  /** Keeps its connections and accepts new ones, but passes nothing on, not even the end of a connection. */
  freeze(): void {
    this.#frozen = true;
    for (const { lines } of this.#pairs) for (const line of lines) line.hold();
  }

  /**
   * Stops passing data on connections whose last request has this text in its first line, and keeps them open. A NAT
   * that has forgotten a connection does the same. All other connections are served.
   */
  freezeConnections(request: string): void {
    for (const { lines, lastRequest } of this.#pairs) {
      if (lastRequest.includes(request)) for (const line of lines) line.hold();
    }
  }

  /** Accepts connections again. Data that was sent while frozen arrives now, as TCP would have retransmitted it. */
  async heal(): Promise<void> {
    this.#frozen = false;
    for (const { lines } of this.#pairs) for (const line of lines) line.release();
    if (this.#server.listening) return;
    this.#server = await listen(this.port);
    this.#server.on('connection', (socket) => this.#connect(socket));
  }

  stop(): Promise<void> {
    return this.cut();
  }

  #connect(client: Socket): void {
    const target = connect({ ...this.#target, allowHalfOpen: true });
    const pair: Pair = { sockets: [client, target], lines: [new DelayLine(), new DelayLine()], lastRequest: '' };
    client.on('data', (chunk: Buffer) => {
      const [request] = /^[A-Z]+ \S+ HTTP\b/.exec(chunk.toString('latin1')) ?? [];
      pair.lastRequest = request ?? pair.lastRequest;
    });
    const [up, down] = pair.lines;
    if (this.#frozen) for (const line of pair.lines) line.hold();
    this.#pairs.add(pair);
    this.#pass(client, target, up, () => this.latency);
    // Delay only one direction, because the inaccuracies of two timers would add up.
    this.#pass(target, client, down, () => 0);
  }

  #pass(from: Socket, to: Socket, line: DelayLine, latency: () => number): void {
    from.setNoDelay();
    from.on('data', (chunk) => line.push(latency(), () => to.write(chunk)));
    from.on('end', () => line.push(latency(), () => to.end()));
    // An error is followed by `close`, which closes the other side.
    from.on('error', () => undefined);
    from.on('close', () => line.push(latency(), () => to.destroySoon()));
    to.on('close', () => {
      line.drop();
      this.#forget(from, to);
    });
  }

  #forget(...closed: Socket[]): void {
    for (const pair of this.#pairs) {
      if (pair.sockets.every((socket) => closed.includes(socket) && socket.destroyed)) this.#pairs.delete(pair);
    }
  }
}

async function listen(port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }).listen(port, LOOPBACK);
  await once(server, 'listening');
  return server;
}
