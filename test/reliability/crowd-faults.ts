/** Lists the faults of the crowd test. Each is injected again and again at random moments while many users sign in. */
import type { Nodes } from '../support/nodes.ts';
import type { RedisServer } from '../support/redis.ts';

export interface CrowdSite {
  readonly nodes: Nodes;
  readonly redis: RedisServer;
}

export interface CrowdFault {
  readonly what: string;
  /** The shortest and the longest time between two faults, in milliseconds. */
  readonly every: readonly [number, number];
  /** The shortest and the longest time that the fault lasts, in milliseconds. */
  readonly lasts: readonly [number, number];
  /** Starts the fault. @returns a function that ends it */
  readonly begin: (site: CrowdSite) => Promise<() => Promise<unknown>>;
}

const NOTHING = async (): Promise<void> => undefined;

export const CROWD_FAULTS: readonly CrowdFault[] = [
  { what: 'none', every: [1_000, 1_000], lasts: [0, 0], begin: async () => NOTHING },
  {
    what: 'a node is killed and started again',
    every: [1_500, 4_000],
    lasts: [0, 1_500],
    begin: async ({ nodes }) => {
      const victim = Math.floor(Math.random() * nodes.ports.length);
      await nodes.kill(victim);
      return () => nodes.restart(victim);
    },
  },
  {
    what: 'all connections to Redis are killed',
    every: [300, 2_000],
    lasts: [0, 0],
    begin: async ({ redis }) => {
      for (const type of ['normal', 'pubsub']) await redis.command('CLIENT', 'KILL', 'TYPE', type);
      return NOTHING;
    },
  },
  {
    what: 'Redis is stopped and goes on',
    every: [2_000, 5_000],
    lasts: [200, 3_000],
    begin: async ({ redis }) => {
      redis.pause();
      return async () => redis.resume();
    },
  },
  {
    what: 'Redis is killed and started again with its AOF',
    every: [3_000, 6_000],
    lasts: [0, 1_500],
    begin: async ({ redis }) => {
      await redis.kill();
      return () => redis.restart();
    },
  },
];
