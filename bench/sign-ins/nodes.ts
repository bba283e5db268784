/** Sends requests to the nodes behind one address: one provider, or several that get requests in turn. */
import { type Answer, Connections } from '../load/connection.ts';

export class Nodes {
  /** The issuer's origin, which browsers see. */
  readonly origin: string;
  readonly #nodes: readonly { readonly port: number; readonly connections: Connections }[];
  #turn = 0;

  constructor(origin: string, ports: readonly number[]) {
    this.origin = origin;
    this.#nodes = ports.map((port) => ({ port, connections: new Connections(port) }));
  }

  send(request: string): Promise<Answer> {
    return this.#next().connections.send(request);
  }

  /** Returns the port of the next node, for a connection that stays at that node. */
  nextPort(): number {
    return this.#next().port;
  }

  close(): void {
    for (const { connections } of this.#nodes) connections.close();
  }

  #next(): { readonly port: number; readonly connections: Connections } {
    this.#turn = (this.#turn + 1) % this.#nodes.length;
    const node = this.#nodes[this.#turn];
    if (node === undefined) throw new Error('there is no node that could answer');
    return node;
  }
}
