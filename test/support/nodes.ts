/** A provider of several nodes, each a process of its own, and ways to reach them. */
import * as client from 'openid-client';
import { CLIENT_ID, CLIENT_SECRET, RP_CALLBACK, testClient } from '../fixtures/test-client.ts';
import { GENEROUS } from '../stores/patience.ts';
import { networkTo, roundRobin } from './balancer.ts';
import type { PlainQrLoginOptions, RedisAddress, Told } from './node-options.ts';
import { NodeProcess } from './node-process.ts';
import { freePort, LOOPBACK } from './server.ts';
import { BrowserVisitor, type Site } from './visitors.ts';

export interface NodesOptions {
  /** The Redis of all nodes that have none of their own. */
  readonly redis: RedisAddress;
  /** One for each node: what is special about it. Three ordinary ones by default. */
  readonly nodes?: readonly OneNode[];
  /** Where people reach them all; a name for {@link Nodes.networkTo} by default. */
  readonly issuer?: string;
  readonly people?: number;
  readonly qrLogin?: PlainQrLoginOptions;
  /**
   * Milliseconds that the store may take to answer. By default so many that no machine is too slow; then no stream reads its ticket anew
   * during a test either, so that it hears of changes by signals alone.
   */
  readonly storePatience?: number;
}

export interface OneNode {
  readonly redis?: RedisAddress;
  /** Options that it has besides those of all. */
  readonly qrLogin?: PlainQrLoginOptions;
  /** Seconds that its clock is ahead of the others'. */
  readonly clockAhead?: number;
}

export class Nodes {
  readonly issuer: string;
  /** What {@link BrowserVisitor} and {@link PhoneVisitor} visit. */
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
    const clients = [testClient(CLIENT_ID, { client_name: 'Test app' })];
    const everywhere = { assess: 'allow', limits: false, ...qrLogin } as const;
    const ordinary = { issuer, redis, clients, people, qrLogin: everywhere };
    const made = await Promise.all(
      nodes.map(
        async ({ clockAhead = 0, ...special }, index) =>
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

  /** For a proxy in front of them. */
  get ports(): number[] {
    return this.#nodes.map(({ options }) => options.port);
  }

  /** Which of them run: one that has crashed does not. */
  get alive(): boolean[] {
    return this.#nodes.map(({ alive }) => alive);
  }

  /** Everything goes to one node. */
  networkTo(index: number): typeof fetch {
    return networkTo(this.#at(index), this.issuer);
  }

  /** Everything goes wherever the next turn is, past nodes that are not there. */
  roundRobin(): typeof fetch {
    return roundRobin(this.#nodes.map((node) => networkTo(node, this.issuer)));
  }

  /** What the nodes have told of this event so far, node by node; also of what they were before a restart. */
  told(event: string): Told[] {
    return this.#nodes.flatMap((node) => node.told).filter((told) => told.event === event);
  }

  /** Waits until a node tells of this event, from now on. */
  tells(index: number, event: string): Promise<Told> {
    return this.#at(index).tells(event);
  }

  /** Waits until whatever has happened so far is among what they have {@link told}: each node tells things in their order. */
  async haveToldAll(): Promise<void> {
    const running = [...this.alive.entries()].flatMap(([index, alive]) => (alive ? [index] : []));
    await Promise.all(
      running.map(async (index) => {
        const shown = this.tells(index, 'qr_login.shown');
        await new BrowserVisitor(this.site, this.networkTo(index)).start();
        await shown;
      }),
    );
  }

  /** What the nodes have complained of, for whoever wonders why a test has failed. */
  get complaints(): string {
    return this.#nodes.flatMap(({ complaints }) => complaints).join('\n');
  }

  /** SIGKILL: from one moment to the next it is gone. */
  async kill(index: number): Promise<void> {
    await this.#at(index).end('SIGKILL');
  }

  /** SIGTERM: it finishes what it does. @returns its exit code */
  async terminate(index: number): Promise<number | null> {
    return (await this.#at(index).end('SIGTERM'))?.code ?? null;
  }

  /** As before, at the same port, in a new process. */
  async restart(index: number): Promise<void> {
    await this.kill(index);
    await this.#at(index).start();
  }

  /** It keeps its connections, and answers nobody. */
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

  /** Once for all RPs. */
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
