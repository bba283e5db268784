/** Connections that can go dead without a word, while new ones work: what lies between has forgotten the old ones. */
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

  /** Nothing comes through any more, in neither direction; both ends stay open. @param isMeant by the far end's address */
  die(isMeant: (address: string) => boolean = () => true): void {
    for (const wire of this.#wires) {
      if (!isMeant(`${wire.far.localAddress}:${wire.far.localPort}`)) continue;
      this.#dead.add(wire);
      wire.near.unpipe().pause();
      wire.far.unpipe().pause();
    }
  }

  /** How many connections were accepted, and lead nowhere: nothing ever comes back on them. */
  get lost(): number {
    return this.#lost.size;
  }

  /** Ends all connections; new ones are accepted, but get no word. */
  leadNowhere(): void {
    this.#leadsNowhere = true;
    for (const { near } of this.#wires) near.destroy();
  }

  /** New connections are good again. Those that lead nowhere stay so. */
  leadThere(): void {
    this.#leadsNowhere = false;
  }

  /** Closes the far ends of what is dead, as a server does in the end. */
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
      // The close tells all that matters of an error.
      from.on('error', () => undefined);
      from.on('close', () => {
        if (!this.#dead.has(wire)) to.destroy();
      });
    }
  }
}
