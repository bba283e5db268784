/** A proxy that can make old connections dead without an error while new ones work, like a NAT device. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { LOOPBACK } from '../../support/server.ts';

interface Wire {
  readonly near: Socket;
  readonly far: Socket;
}

export class Wires {
  readonly port: number;
  readonly url: string;
  readonly #server: Server;
  readonly #wires = new Set<Wire>();
  readonly #dead = new Set<Wire>();
  readonly #lost = new Set<Socket>();
  #leadsNowhere = false;

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.url = `redis://${LOOPBACK}:${this.port}`;
    server.on('connection', (near) => {
      if (this.#leadsNowhere) this.#lose(near);
      else this.#join({ near, far: connect(target, LOOPBACK) });
    });
  }

  static async start(target: number): Promise<Wires> {
    const server = createServer().listen(0, LOOPBACK);
    await once(server, 'listening');
    return new Wires(server, target);
  }

  /**
   * Stops the data of connections in both directions, and leaves both ends open.
   * @param isMeant returns true for the far addresses of the connections to stop; all by default
   */
  die(isMeant: (address: string) => boolean = () => true): void {
    for (const wire of this.#wires) {
      if (!isMeant(`${wire.far.localAddress}:${wire.far.localPort}`)) continue;
      this.#dead.add(wire);
      wire.near.unpipe().pause();
      wire.far.unpipe().pause();
    }
  }

  /** The number of connections that were accepted but never get an answer. */
  get lost(): number {
    return this.#lost.size;
  }

  /** Ends all connections. New ones are accepted but never get an answer. */
  leadNowhere(): void {
    this.#leadsNowhere = true;
    for (const { near } of this.#wires) near.destroy();
  }

  /** Forwards new connections again. Connections without an answer still get none. */
  leadThere(): void {
    this.#leadsNowhere = false;
  }

  /** Stops the proxy and closes both ends of all connections, including the dead ones. */
  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const { near, far } of this.#wires) for (const socket of [near, far]) socket.destroy();
    for (const near of this.#lost) near.destroy();
    await closed;
  }

  #lose(near: Socket): void {
    this.#lost.add(near);
    near.on('error', () => undefined).resume();
  }

  #join(wire: Wire): void {
    const { near, far } = wire;
    this.#wires.add(wire);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay();
      from.pipe(to);
      // An error is followed by a close event, which is handled below.
      from.on('error', () => undefined);
      from.on('close', () => {
        if (!this.#dead.has(wire)) to.destroy();
      });
    }
  }
}
