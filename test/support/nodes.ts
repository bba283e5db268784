/** A provider of several nodes, each in a separate process, with networks that lead to one or all of them. */
import * as client from 'openid-client';
import { CLIENT_ID, CLIENT_SECRET, RP_CALLBACK, shopClient, testClient } from '../fixtures/test-client.ts';
import { GENEROUS } from '../stores/patience.ts';
import { networkTo, roundRobin } from './balancer.ts';
import type { NodeEvent, NodeOptions, PlainQrLoginOptions, RedisAddress } from './node-options.ts';
import { NodeProcess } from './node-process.ts';
import { freePort, LOOPBACK } from './server.ts';
import { BrowserVisitor, type Site } from './visitors.ts';

export interface NodesOptions {
  /** The Redis of all nodes that do not specify another one. */
  readonly redis: RedisAddress;
  /** The special options of each node. By default there are three nodes without special options. */
  readonly nodes?: readonly OneNode[];
  /**
   * The issuer of all nodes. By default, no server listens at this address, and only {@link Nodes.networkTo} and
   * {@link Nodes.roundRobin} lead to the nodes.
   */
  readonly issuer?: string;
  readonly people?: number;
  readonly qrLogin?: PlainQrLoginOptions;
  /**
   * Milliseconds that the store may take to answer. The default is so long that no machine is too slow. With the
   * default, streams also do not re-read their ticket during a test, so that they learn of changes only by signals.
   */
  readonly storePatience?: number;
}

export interface OneNode {
  readonly redis?: RedisAddress;
  /** Options of this node in addition to those of all nodes. */
  readonly qrLogin?: PlainQrLoginOptions;
  /** Seconds that its clock is ahead of the other nodes' clocks. */
  readonly clockAhead?: number;
  /** The root of an earlier version of the project, if the node runs that. */
  readonly earlier?: string;
}

export class Nodes {
  readonly issuer: string;
  /** The site for {@link BrowserVisitor} and {@link PhoneVisitor}. */
  readonly site: Site;
  readonly #nodes: readonly NodeProcess[];
  #metadata: Promise<client.ServerMetadata> | undefined;

  private constructor(issuer: string, nodes: readonly NodeProcess[]) {
    this.issuer = issuer;
    this.#nodes = nodes;
    this.site = {
      issuer,
      client: { id: CLIENT_ID, secret: CLIENT_SECRET, callback: RP_CALLBACK },
      metadata: () => this.#discover(),
    };
  }

  static async start({
    redis,
    people = 0,
    qrLogin = {},
    storePatience = GENEROUS,
    ...more
  }: NodesOptions): Promise<Nodes> {
    const { nodes = [{}, {}, {}], issuer = `http://localhost:${await freePort()}` } = more;
    const clients = [testClient(CLIENT_ID, { client_name: 'Test app' }), shopClient()];
    const everywhere = { assess: 'allow', limits: false, ...qrLogin } as const;
    const ordinary = { issuer, redis, clients, people, qrLogin: everywhere };
    const made = await Promise.all(
      nodes.map(
        async ({ clockAhead = 0, earlier, ...special }, index) =>
          new NodeProcess({
            name: `node ${index}`,
            options: {
              ...ordinary,
              ...special,
              qrLogin: { ...everywhere, ...special.qrLogin },
              port: await freePort(LOOPBACK),
            },
            clockAhead,
            storePatience,
            earlier,
          }),
      ),
    );
    const started = new Nodes(issuer, made);
    const starts = await Promise.allSettled(made.map((node) => node.start()));
    const failed = starts.find((start) => start.status === 'rejected');
    if (failed === undefined) return started;
    await started.stop();
    throw failed.reason;
  }

  /** The ports of the nodes, for a proxy in front of them. */
  get ports(): number[] {
    return this.#nodes.map(({ options }) => options.port);
  }

  /** For each node, true if its process runs. */
  get alive(): boolean[] {
    return this.#nodes.map(({ alive }) => alive);
  }

  /** Returns a `fetch` that sends all requests to one node. */
  networkTo(index: number): typeof fetch {
    return networkTo(this.#at(index), this.issuer);
  }

  /** Returns a `fetch` that sends each request to the next node, and skips nodes that do not run. */
  roundRobin(): typeof fetch {
    return roundRobin(this.#nodes.map((node) => networkTo(node, this.issuer)));
  }

  /**
   * Returns the events with this name that the nodes have printed so far, node by node, including events before a
   * restart.
   */
  events(event: string): NodeEvent[] {
    return this.#nodes.flatMap((node) => node.events).filter((one) => one.event === event);
  }

  /** Waits for the next event with this name on a node. */
  nextEvent(index: number, event: string): Promise<NodeEvent> {
    return this.#at(index).nextEvent(event);
  }

  /**
   * Waits until {@link events} includes all events that have happened so far. Each node prints its events in order, so
   * it is enough to wait for one more event of each node.
   */
  async untilAllPrinted(): Promise<void> {
    const running = [...this.alive.entries()].flatMap(([index, alive]) => (alive ? [index] : []));
    await Promise.all(
      running.map(async (index) => {
        const shown = this.nextEvent(index, 'qr_login.shown');
        await new BrowserVisitor(this.site, this.networkTo(index)).start();
        await shown;
      }),
    );
  }

  /** The error output of all nodes, for the message of a failed test. */
  get complaints(): string {
    return this.#nodes.flatMap(({ complaints }) => complaints).join('\n');
  }

  /** Kills a node immediately with SIGKILL. */
  async kill(index: number): Promise<void> {
    await this.#at(index).end('SIGKILL');
  }

  /** Stops a node with SIGTERM, so that it completes its requests first. @returns its exit code */
  async terminate(index: number): Promise<number | null> {
    return (await this.#at(index).end('SIGTERM'))?.code ?? null;
  }

  /**
   * Starts a node again at the same port, in a new process.
   * @param changes options that replace the previous ones
   */
  async restart(index: number, changes: Pick<NodeOptions, 'configuration'> = {}): Promise<void> {
    await this.kill(index);
    await this.#at(index).start(changes);
  }

  /** Stops a node with SIGSTOP: it keeps its connections, but answers nothing. */
  pause(index: number): void {
    this.#at(index).pause();
  }

  resume(index: number): void {
    this.#at(index).resume();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop()));
  }

  #at(index: number): NodeProcess {
    const node = this.#nodes[index];
    if (node === undefined) throw new RangeError(`there is no node ${index}`);
    return node;
  }

  /** Fetches the provider's metadata once for all RPs. */
  #discover(): Promise<client.ServerMetadata> {
    const metadata = new URL(`${this.issuer}/.well-known/openid-configuration`);
    const options = {
      [client.customFetch]: this.roundRobin() as client.CustomFetch,
      execute: [client.allowInsecureRequests],
    };
    this.#metadata ??= client
      .discovery(metadata, CLIENT_ID, CLIENT_SECRET, undefined, options)
      .then((configuration) => configuration.serverMetadata());
    return this.#metadata;
  }
}
