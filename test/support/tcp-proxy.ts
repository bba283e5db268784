/** A bad network between two processes: slow, cut, or a black hole. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { DelayLine } from './delay-line.ts';
import { LOOPBACK } from './server.ts';

interface Pair {
  readonly sockets: readonly [Socket, Socket];
  readonly lines: readonly [DelayLine, DelayLine];
}

export class TcpProxy {
  readonly port: number;
  /** Milliseconds that each round trip takes longer. */
  latency = 0;
  readonly #target: number;
  readonly #pairs = new Set<Pair>();
  #server: Server;
  #frozen = false;

  private constructor(target: number, server: Server) {
    this.#target = target;
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => this.#connect(socket));
  }

  static async start(target: number): Promise<TcpProxy> {
    return new TcpProxy(target, await listen(0));
  }

  /** How many connections go through it. */
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

  /** Keeps its connections and accepts new ones, but nothing comes through, not even that one side has gone. */
  freeze(): void {
    this.#frozen = true;
    for (const { lines } of this.#pairs) for (const line of lines) line.hold();
  }

  /** Accepts connections again. What was sent to a frozen one arrives now, as TCP would have sent it again. */
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
    const target = connect({ port: this.#target, host: LOOPBACK, allowHalfOpen: true });
    const pair: Pair = { sockets: [client, target], lines: [new DelayLine(), new DelayLine()] };
    const [up, down] = pair.lines;
    if (this.#frozen) for (const line of pair.lines) line.hold();
    this.#pairs.add(pair);
    this.#pass(client, target, up, () => this.latency);
    // One direction has it all: two timers would make the round trip longer than said.
    this.#pass(target, client, down, () => 0);
  }

  #pass(from: Socket, to: Socket, line: DelayLine, latency: () => number): void {
    from.setNoDelay();
    from.on('data', (chunk) => line.push(latency(), () => to.write(chunk)));
    from.on('end', () => line.push(latency(), () => to.end()));
    // The close tells all that matters of an error: the other side loses its connection too.
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
