/** Measures a server as more and more browsers wait: on one process, with arrivals, and on three processes. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Goal, Measure, Result, Size, Table } from '../measure.ts';
import type { Program } from '../programs.ts';
import { startRedis } from '../redis.ts';
import { BARE, type Kind, MEMORY, measureDuring, onStage, PARKED, REDIS_PARKED, settle } from '../stage.ts';
import { megabytes, rounded } from '../statistics.ts';

/**
 * `watch` is the time for which the idle load is measured, in milliseconds; `nodes` are the waiting browsers of each
 * node.
 */
const SIZES = {
  full: {
    steps: [1_000, 5_000, 10_000, 19_000],
    watch: 20_000,
    coming: { seconds: 20, rate: 660, stay: 500 },
    nodes: [16_667, 16_667, 16_666],
  },
  quick: {
    steps: [100, 500, 1_000, 1_900],
    watch: 5_000,
    coming: { seconds: 5, rate: 66, stay: 500 },
    nodes: [1_667, 1_667, 1_666],
  },
} as const;

interface Step {
  readonly waiting: number;
  /** Resident memory in MB. */
  readonly rss: number;
  /** CPU use while nothing happens, in % of a core. */
  readonly idle: number;
}

interface Scale {
  readonly kind: Kind;
  readonly steps: readonly Step[];
  /** CPU use while browsers come and go, in % of a core. */
  readonly busy: number;
}

export const scale: Measure = async (size): Promise<Result> => {
  const all: Scale[] = [];
  for (const kind of [BARE, MEMORY, PARKED]) all.push(await measureSteps(kind, size));
  const nodes = await measureNodes(REDIS_PARKED, size);
  return {
    goals: all.filter(({ kind }) => kind !== BARE).flatMap((one) => goals(one, size)),
    tables: [
      {
        title: 'One process, step by step',
        columns: ['server', 'waiting', 'RSS, MB', '% of a core while nothing happens'],
        rows: all.flatMap(({ kind, steps }) =>
          steps.map(({ waiting, rss, idle }) => [kind.name, waiting, rounded(rss), rounded(idle)]),
        ),
        note: 'Includes rotation every 10 s, heartbeats and the slow read (tickets are read again regularly).',
      },
      {
        title: `${SIZES[size].steps.at(-1)} waiting, and ${SIZES[size].coming.rate} a second come and go`,
        columns: ['server', '% of a core'],
        rows: all.map(({ kind, busy }) => [kind.name, rounded(busy)]),
        note: 'The records of all browsers that are going to arrive exist from the start.',
      },
      nodes,
    ],
    charts: [
      {
        title: 'CPU while nothing happens',
        kind: 'lines',
        unit: '% of a core',
        series: all.map(({ kind, steps }) => ({
          name: kind.name,
          points: steps.map(({ waiting, idle }) => ({ x: waiting, y: rounded(idle) })),
        })),
      },
      {
        title: 'Resident memory',
        kind: 'lines',
        unit: 'MB',
        series: all.map(({ kind, steps }) => ({
          name: kind.name,
          points: steps.map(({ waiting, rss }) => ({ x: waiting, y: rounded(rss) })),
        })),
      },
    ],
  };
};

function goals({ kind, steps, busy }: Scale, size: Size): Goal[] {
  const { coming } = SIZES[size];
  return [
    ...steps.map(({ waiting, idle }) => ({
      name: `CPU while nothing happens, ${waiting} waiting: ${kind.name}`,
      ours: idle,
      unit: '% of a core',
      limit: 5,
    })),
    {
      name: `CPU with ${steps.at(-1)?.waiting} waiting and ${coming.rate} a second coming and going: ${kind.name}`,
      ours: busy,
      unit: '% of a core',
      limit: 35,
    },
  ];
}

function measureSteps(kind: Kind, size: Size): Promise<Scale> {
  const { steps, watch, coming } = SIZES[size];
  return onStage(kind, async ({ server, load }) => {
    const measured: Step[] = [];
    let waiting = 0;
    for (const step of steps) {
      await load.prepare(step - waiting);
      await load.wait(step - waiting);
      waiting = step;
      await settle();
      const { share } = await measureDuring(server, () => pause(watch));
      measured.push({ waiting, rss: megabytes((await server.usage()).rss), idle: share * 100 });
    }
    await load.prepare(coming.seconds * coming.rate);
    await settle();
    const { share } = await measureDuring(server, () => load.comeAndGo(coming));
    return { kind, steps: measured, busy: share * 100 };
  });
}

/** Measures three nodes that share a Redis. Each has its own browsers. */
async function measureNodes(kind: Kind, size: Size): Promise<Table> {
  const { nodes, watch } = SIZES[size];
  const redis = await startRedis();
  const rendezvous = new Rendezvous(nodes.length + 1);
  const measureIdle = async (process: Pick<Program, 'usage'>): Promise<number[]> => {
    await rendezvous.waitForAll();
    await settle();
    const { share } = await measureDuring(process, () => pause(watch));
    const { rss } = await process.usage();
    await rendezvous.waitForAll();
    return [megabytes(rss), share * 100].map(rounded);
  };
  const node = (waiting: number, number: number): Promise<(string | number)[]> =>
    onStage(
      kind,
      async ({ server, load }) => {
        await load.prepare(waiting);
        await load.wait(waiting);
        return [`node ${number + 1}`, waiting, ...(await measureIdle(server))];
      },
      { redis },
    );
  try {
    const [ofRedis, ...rows] = await Promise.all([measureIdle(redis), ...nodes.map(node)]);
    return {
      title: `${nodes.reduce((sum: number, one) => sum + one, 0)} waiting over three processes: ${kind.name}`,
      columns: ['process', 'waiting', 'RSS, MB', '% of a core while nothing happens'],
      rows: [...rows, ['Redis', '', ...ofRedis]],
    };
  } finally {
    await redis.stop();
  }
}

/** A reusable barrier: `waitForAll()` resolves once the given number of callers wait for it. */
class Rendezvous {
  readonly #count: number;
  #arrived: (() => void)[] = [];

  constructor(count: number) {
    this.#count = count;
  }

  waitForAll(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived.push(resolve);
      if (this.#arrived.length < this.#count) return;
      for (const go of this.#arrived.splice(0)) go();
    });
  }
}
