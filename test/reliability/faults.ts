/**
 * Lists the faults, which are the rows of the table in `docs/reliability.md`, with the answers that are expected during
 * each. `faults.test.ts` tests each fault in every state of a ticket.
 */
import { Nodes } from '../support/nodes.ts';
import { RedisServer } from '../support/redis.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

/** The outcome of a request: the right answer, a 503 with `Retry-After`, either of these two, or no connection. */
export type ExpectedOutcome = 'answer' | 'try again' | 'either' | 'no connection';

export const STATES = [
  'waiting',
  'scanned',
  'approved',
  'approved with a check code',
  'redeemed',
  'denied',
  'expired',
  'renewed after a scan',
] as const;
export type State = (typeof STATES)[number];

export interface Fault {
  readonly what: string;
  /**
   * The affected nodes. `one node` is {@link VICTIM}, which serves the browsers of half of the sign-ins, and the phones
   * of the others.
   */
  readonly hits: 'one node' | 'all nodes';
  /** The states that the short suite tests. The full suite tests each fault in every state. */
  readonly inShortSuite?: readonly State[];
  /** Starts the fault. @returns a function that ends it */
  readonly begin: (site: FaultySite) => Promise<() => Promise<unknown>>;
  /** The duration of the fault in milliseconds. By default it lasts until each sign-in has taken one step. */
  readonly lasts?: number;
  /** True if no request is answered before the fault ends. */
  readonly holds?: true;
  /** True if sign-ins continue during the fault, as far as they can. */
  readonly goesOn?: true;
  /** The outcome of requests that only read, at an affected node. */
  readonly looking: ExpectedOutcome;
  /** The outcome of requests that change a ticket, at an affected node. */
  readonly changing: ExpectedOutcome;
  /** The states in which the sign-in is lost, and the same users start again. */
  readonly loses?: readonly State[];
  /** True if all data is lost, including the phones' sessions. */
  readonly losesEverything?: boolean;
}

export const VICTIM = 0;
/** The node that serves the other side of each sign-in: the phone, or the browser. */
export const OTHER = 1;
/** The node to which requests go if their own node is down. The sign-ins have not used it before the fault. */
export const ELSEWHERE = 2;
/** A node with tickets that expire after a second. */
export const HURRIED = 3;

const UNUSED_PORT = '1';

/**
 * The time that the nodes' stores may take. It is longer than the default, because the sign-ins load the machine, and a
 * working store must not look broken to an unaffected node.
 */
const STORE_PATIENCE_MS = 2_500;

export const FAULTS: readonly Fault[] = [
  {
    what: 'a node is killed',
    hits: 'one node',
    inShortSuite: ['waiting', 'scanned', 'approved', 'approved with a check code', 'redeemed'],
    begin: async ({ nodes }) => {
      await nodes.kill(VICTIM);
      return () => nodes.restart(VICTIM);
    },
    goesOn: true,
    looking: 'no connection',
    changing: 'no connection',
  },
  {
    what: 'a node is stopped for 2 s and goes on',
    hits: 'one node',
    begin: async ({ nodes }) => {
      nodes.pause(VICTIM);
      return async () => nodes.resume(VICTIM);
    },
    lasts: 2_000,
    holds: true,
    looking: 'answer',
    changing: 'answer',
  },
  {
    what: "the nodes' subscriber connections are killed, again and again for 1 s",
    hits: 'all nodes',
    begin: async ({ redis }) => again(() => redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')),
    lasts: 1_000,
    looking: 'answer',
    changing: 'answer',
  },
  {
    what: "all of the nodes' other connections to Redis are killed, again and again for 1 s",
    hits: 'all nodes',
    begin: async ({ redis }) => again(() => redis.command('CLIENT', 'KILL', 'TYPE', 'normal')),
    lasts: 1_000,
    looking: 'either',
    changing: 'either',
  },
  {
    what: 'Redis is killed and comes back without its data',
    hits: 'all nodes',
    inShortSuite: ['scanned', 'redeemed'],
    begin: async ({ redis, links }) => {
      await redis.kill();
      // Refuse connections, as if there were no proxy in between.
      await Promise.all(links.map((link) => link.cut()));
      return async () => {
        await redis.restart();
        await Promise.all(links.map((link) => link.heal()));
      };
    },
    looking: 'try again',
    changing: 'try again',
    loses: STATES,
    losesEverything: true,
  },
  {
    what: 'Redis is stopped for a while and goes on',
    hits: 'all nodes',
    inShortSuite: ['waiting', 'approved', 'denied', 'expired', 'renewed after a scan'],
    begin: async ({ redis }) => {
      redis.pause();
      return async () => redis.resume();
    },
    lasts: STORE_PATIENCE_MS + 1_000,
    looking: 'try again',
    changing: 'try again',
  },
  {
    what: 'Redis becomes a read-only replica, and a master again',
    hits: 'all nodes',
    begin: async ({ redis }) => {
      await redis.command('REPLICAOF', '127.0.0.1', UNUSED_PORT);
      return () => redis.command('REPLICAOF', 'NO', 'ONE');
    },
    looking: 'answer',
    changing: 'try again',
  },
  {
    what: 'Redis is out of memory, and gets more',
    hits: 'all nodes',
    begin: async ({ redis }) => {
      await redis.command('CONFIG', 'SET', 'maxmemory', '1');
      return () => redis.command('CONFIG', 'SET', 'maxmemory', '0');
    },
    looking: 'answer',
    changing: 'try again',
  },
  {
    what: 'Redis cannot save to its disk (MISCONF), and can again',
    hits: 'all nodes',
    begin: async ({ redis }) => {
      await redis.failToSave();
      await redis.command('CONFIG', 'SET', 'save', '3600 1');
      return () => redis.command('CONFIG', 'SET', 'save', '');
    },
    looking: 'answer',
    changing: 'try again',
  },
  {
    what: 'Redis is 300 ms away from one node',
    hits: 'one node',
    begin: async ({ links }) => slow(links.slice(VICTIM, VICTIM + 1)),
    goesOn: true,
    looking: 'answer',
    changing: 'answer',
  },
  {
    what: 'Redis is 300 ms away from all nodes',
    hits: 'all nodes',
    begin: async ({ links }) => slow(links),
    goesOn: true,
    looking: 'answer',
    changing: 'answer',
  },
  {
    what: 'one node is cut off from Redis',
    hits: 'one node',
    begin: async ({ links: [link] }) => {
      await link?.cut();
      return async () => link?.heal();
    },
    looking: 'try again',
    changing: 'try again',
  },
  {
    what: 'the network between one node and Redis is a black hole, until the node closes the connection',
    hits: 'one node',
    begin: async ({ links: [link] }) => {
      link?.freeze();
      return async () => link?.heal();
    },
    lasts: 6 * STORE_PATIENCE_MS,
    looking: 'try again',
    changing: 'try again',
  },
];

/** Four nodes on one Redis, with a proxy between each node and Redis that can disturb the network. */
export class FaultySite {
  readonly redis: RedisServer;
  readonly links: readonly TcpProxy[];
  readonly nodes: Nodes;

  private constructor(redis: RedisServer, links: readonly TcpProxy[], nodes: Nodes) {
    this.redis = redis;
    this.links = links;
    this.nodes = nodes;
  }

  static async start(people: number): Promise<FaultySite> {
    const redis = await RedisServer.start();
    const links: TcpProxy[] = [];
    try {
      for (const node of [VICTIM, OTHER, ELSEWHERE, HURRIED]) links[node] = await TcpProxy.start(redis.port);
      return new FaultySite(redis, links, await FaultySite.#startNodes(redis, links, people));
    } catch (error) {
      await Promise.all(links.map((link) => link.stop()));
      await redis.stop();
      throw error;
    }
  }

  static #startNodes(redis: RedisServer, links: readonly TcpProxy[], people: number): Promise<Nodes> {
    return Nodes.start({
      redis: { url: redis.url },
      people,
      qrLogin: { assess: 'by address' },
      storePatience: STORE_PATIENCE_MS,
      nodes: links.map(({ port }, node) => ({
        redis: { url: `redis://127.0.0.1:${port}` },
        ...(node === HURRIED && { qrLogin: { deadlines: { scan: 1 } } }),
      })),
    });
  }

  async stop(): Promise<void> {
    this.redis.resume();
    await this.nodes.stop();
    await Promise.all(this.links.map((link) => link.stop()));
    await this.redis.stop();
  }
}

/** Repeats a request as long as the answer is 503. @returns the last answer */
export async function untilAnswered<T extends { readonly status: number }>(ask: () => Promise<T>): Promise<T> {
  let answer = await ask();
  await until(async () => {
    if (answer.status === 503) answer = await ask();
    return answer.status !== 503;
  });
  return answer;
}

/** Calls `harm` immediately and then every 100 ms. @returns a function that ends the calls */
async function again(harm: () => Promise<unknown>): Promise<() => Promise<void>> {
  if ((await harm()) === 0) throw new Error('there was no connection to kill');
  const timer = setInterval(() => void harm(), 100);
  return async () => clearInterval(timer);
}

async function slow(links: readonly TcpProxy[]): Promise<() => Promise<void>> {
  const set = (latency: number): void => {
    for (const link of links) link.latency = latency;
  };
  set(300);
  return async () => set(0);
}
