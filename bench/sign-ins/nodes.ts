/** What one address is served by: a provider, or several in turn. */
import { type Answer, Connections } from '../load/connection.ts';

export class Nodes {
  /** Of the issuer: what people's browsers know. */
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

  /** Of the node whose turn it is, for a connection that stays there. */
  get port(): number {
    return this.#next().port;
  }

  close(): void {
    for (const { connections } of this.#nodes) connections.close();
  }

  #next(): { readonly port: number; readonly connections: Connections } {
    this.#turn = (this.#turn + 1) % this.#nodes.length;
    const node = this.#nodes[this.#turn];
    if (node === undefined) throw new Error('an address needs a node');
    return node;
  }
}
