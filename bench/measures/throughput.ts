/** Measures sign-ins per second through one node and through three. */
import { availableParallelism } from 'node:os';
import type { Chart, Result, Size, Table } from '../measure.ts';
import { type Redis, startRedis } from '../redis.ts';
import { each } from '../sign-ins/crowd.ts';
import { cpuDuring, openScene, type Scene } from '../sign-ins/scene.ts';
import { complete, type SignIn } from '../sign-ins/sign-in.ts';

interface Setup {
  readonly name: string;
  readonly nodes: number;
  readonly onRedis: boolean;
  readonly begin: (scene: Scene) => SignIn;
}

const byQr = ({ crowd }: Scene): SignIn => crowd.beginInNewBrowser();
const SETUPS: readonly Setup[] = [
  { name: 'password, one node in memory', nodes: 1, onRedis: false, begin: ({ crowd }) => crowd.beginWithPassword() },
  { name: 'QR, one node in memory', nodes: 1, onRedis: false, begin: byQr },
  { name: 'QR, one node on Redis', nodes: 1, onRedis: true, begin: byQr },
  { name: 'QR, three nodes on Redis', nodes: 3, onRedis: true, begin: byQr },
];

const SIZES: Readonly<Record<Size, readonly [signIns: number, warmUp: number]>> = {
  full: [2000, 400],
  quick: [150, 50],
};
/** The number of simultaneous users: enough to keep a node busy all the time. */
const AT_A_TIME = 32;

/** The outcome of one setup: sign-ins per second, and the CPU time of nodes and Redis per sign-in in milliseconds. */
interface Outcome {
  readonly name: string;
  readonly aSecond: number;
  readonly nodes: number;
  readonly redis: number;
  /** CPU use of the load generator as a share of one core. */
  readonly generator: number;
}

export async function throughput(size: Size): Promise<Result> {
  const outcomes: Outcome[] = [];
  for (const setup of SETUPS) outcomes.push(await measureSetup(setup, size));
  return { goals: [], tables: [table(outcomes)], charts: [chart(outcomes)] };
}

async function measureSetup(setup: Setup, size: Size): Promise<Outcome> {
  const redis = setup.onRedis ? await startRedis() : undefined;
  try {
    const scene = await openScene(redis && { redis: redis.url }, setup.nodes);
    return await measureSignIns(scene, setup, { redis, size }).finally(scene.close);
  } finally {
    await redis?.stop();
  }
}

async function measureSignIns(
  scene: Scene,
  { name, begin }: Setup,
  { redis, size }: { readonly redis: Redis | undefined; readonly size: Size },
): Promise<Outcome> {
  const [signIns, warmUp] = SIZES[size];
  await scene.crowd.prepareNew(signIns + warmUp);
  const run = (times: number): Promise<void> => each(times, AT_A_TIME, () => complete(begin(scene)));
  await run(warmUp);
  const own = process.cpuUsage();
  const stored = await redis?.usage();
  const from = performance.now();
  const cpu = await cpuDuring(scene.providers, () => run(signIns));
  const seconds = (performance.now() - from) / 1000;
  const after = await redis?.usage();
  const { user, system } = process.cpuUsage(own);
  return {
    name,
    aSecond: signIns / seconds,
    nodes: cpu / signIns / 1000,
    redis: ((after?.cpu ?? 0) - (stored?.cpu ?? 0)) / signIns / 1000,
    generator: (user + system) / 1e6 / seconds,
  };
}

function table(outcomes: readonly Outcome[]): Table {
  return {
    title: 'Sign-ins a second',
    columns: [
      'setup',
      'sign-ins a second',
      'CPU of the nodes, ms a sign-in',
      'CPU of Redis, ms a sign-in',
      'sign-ins a second for each core of the nodes',
      'CPU of the load generator, % of a core',
    ],
    rows: outcomes.map(({ name, aSecond, nodes, redis, generator }) => [
      name,
      Math.round(aSecond),
      round(nodes),
      round(redis),
      Math.round(1000 / nodes),
      Math.round(generator * 100),
    ]),
    note:
      `${AT_A_TIME} users at a time, new browsers, with the check code. Nodes, Redis and the load generator share ${availableParallelism()} cores, which limits the three nodes. ` +
      'A node handles requests in one thread and signs tokens in others.',
  };
}

function chart(outcomes: readonly Outcome[]): Chart {
  const points = outcomes.map(({ name, aSecond }) => ({ x: name, y: Math.round(aSecond) }));
  return { title: 'Sign-ins', kind: 'bars', unit: 'a second', series: [{ name: 'sign-ins', points }] };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
