/** Measures the CPU time that a whole sign-in costs the provider, by QR and with a password, and that of an action. */

import type { Chart, Goal, Result, Size, Table } from '../measure.ts';
import { PHONE_CLIENT } from '../servers/clients.ts';
import { each } from '../sign-ins/crowd.ts';
import { cpuDuring, openScene, type Scene } from '../sign-ins/scene.ts';
import { complete, type SignIn } from '../sign-ins/sign-in.ts';
import { percentile } from '../statistics.ts';

const PASSWORD = 'password';
const NEW = 'QR, new browser, check code';
const KNOWN = 'QR, known browser';
const BY_APP = 'QR, approved by an app, check code';
/** The most similar sign-in of oidc-provider itself: the phone confirms a code, and the device polls once too early. */
const DEVICE_FLOW = "oidc-provider's device flow";

const ACTION = 'action, new browser, check code';

const WAYS: readonly (readonly [name: string, begin: (scene: Scene) => SignIn])[] = [
  [PASSWORD, ({ crowd }) => crowd.beginWithPassword()],
  ['password, chosen by loginPage', ({ crowd }) => crowd.beginWithPassword(PHONE_CLIENT)],
  [KNOWN, ({ crowd }) => crowd.beginInKnownBrowser()],
  [NEW, ({ crowd }) => crowd.beginInNewBrowser()],
  [BY_APP, ({ crowd }) => crowd.beginWithApp()],
  [DEVICE_FLOW, ({ crowd }) => crowd.beginDeviceFlow()],
  [ACTION, ({ crowd }) => crowd.beginAction()],
];

/** In each round every way to sign in has its turn, so that other load on the machine affects all of them equally. */
interface Rounds {
  readonly rounds: number;
  /** Sign-ins of each way in a round. */
  readonly signIns: number;
  /** Sign-ins of each way before the measurement starts, while code is still being compiled. */
  readonly warmUp: number;
}

const SIZES: Readonly<Record<Size, Rounds>> = {
  full: { rounds: 15, signIns: 40, warmUp: 1000 },
  quick: { rounds: 3, signIns: 20, warmUp: 100 },
};

/** The CPU time of each way to sign in, in microseconds: the median of its rounds. */
type Costs = Readonly<Record<string, number>>;

export async function signIn(size: Size): Promise<Result> {
  const extent = SIZES[size];
  const scene = await openScene();
  try {
    await measureRounds(scene, { rounds: 1, signIns: extent.warmUp, warmUp: 0 }, 10);
    const single = await measureRounds(scene, extent, 1);
    const busy = await measureRounds(scene, extent, 10);
    const steps = await costOfSteps(scene, extent);
    const table = wholeTable(single, busy, await measureScrypt(size));
    return {
      goals: [...goals(single, 1), ...goals(busy, 10)],
      tables: [table, ...steps],
      charts: [chart(single, busy)],
    };
  } finally {
    await scene.close();
  }
}

async function measureRounds(scene: Scene, { rounds, signIns }: Rounds, atATime: number): Promise<Costs> {
  await scene.crowd.prepareNew(rounds * signIns);
  await scene.crowd.prepareKnown(rounds * signIns);
  await scene.crowd.prepareApps(rounds * signIns);
  await scene.crowd.prepareActions(rounds * signIns);
  const costs = WAYS.map(([name]): [string, number[]] => [name, []]);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, [, begin]] of WAYS.entries()) {
      const cpu = await cpuDuring(scene.providers, () => each(signIns, atATime, () => complete(begin(scene))));
      costs[index]?.[1].push(cpu / signIns);
    }
  }
  return Object.fromEntries(costs.map(([name, all]) => [name, percentile(all, 0.5)]));
}

function goals(costs: Costs, atATime: number): Goal[] {
  const byApp: Goal = {
    name: `CPU of a whole sign-in, ${atATime} at a time: ${BY_APP}`,
    ours: milliseconds(costs[BY_APP]),
    unit: 'ms',
    against: { name: DEVICE_FLOW, value: milliseconds(costs[DEVICE_FLOW]) },
    limit: 1.6,
  };
  const byPage = [KNOWN, NEW].map(
    (way): Goal => ({
      name: `CPU of a whole sign-in, ${atATime} at a time: ${way}`,
      ours: milliseconds(costs[way]),
      unit: 'ms',
      against: { name: 'password that is not hashed', value: milliseconds(costs[PASSWORD]) },
      limit: 1.4,
    }),
  );
  return [...byPage, byApp];
}

async function measureScrypt(size: Size): Promise<number> {
  const signIns = size === 'full' ? 60 : 10;
  const scene = await openScene({ hash: 'scrypt' });
  try {
    await each(20, 4, () => complete(scene.crowd.beginWithPassword()));
    return (
      (await cpuDuring(scene.providers, () => each(signIns, 1, () => complete(scene.crowd.beginWithPassword())))) /
      signIns
    );
  } finally {
    await scene.close();
  }
}

function wholeTable(single: Costs, busy: Costs, hashed: number): Table {
  const rows = WAYS.map(([name]) => {
    const ratios = [single, busy].map((costs) => round((costs[name] ?? 0) / (costs[PASSWORD] ?? 0)));
    return [name, milliseconds(single[name]), ratios[0] ?? 0, milliseconds(busy[name]), ratios[1] ?? 0];
  });
  return {
    title: 'CPU of a whole sign-in',
    columns: ['sign-in', 'one at a time, ms', 'ratio', 'ten at a time, ms', 'ratio'],
    rows: [
      ...rows,
      ['password, hashed with scrypt', milliseconds(hashed), round(hashed / (single[PASSWORD] ?? 0)), '', ''],
    ],
    note:
      'Medians of rounds: user and system time of all threads of the provider process, with the store in memory, default limits and default options. ' +
      'From the authorization request to the ID token; each response is checked. The RP is a first-party app, so there is no consent page. A client asks for an action with an access token that it has already, and gets a signed result.',
  };
}

function chart(single: Costs, busy: Costs): Chart {
  const series = [
    { name: 'one at a time', costs: single },
    { name: 'ten at a time', costs: busy },
  ].map(({ name, costs }) => ({ name, points: WAYS.map(([x]) => ({ x, y: milliseconds(costs[x]) })) }));
  return { title: 'CPU of a whole sign-in', kind: 'bars', unit: 'ms', series };
}

/** Measures the cost of each request: all sign-ins take the first step, then all take the next one, and so on. */
async function costOfSteps(scene: Scene, { signIns, rounds }: Rounds): Promise<Table[]> {
  await scene.crowd.prepareNew(rounds * signIns);
  await scene.crowd.prepareKnown(rounds * signIns);
  await scene.crowd.prepareApps(rounds * signIns);
  await scene.crowd.prepareActions(rounds * signIns);
  const tables: Table[] = [];
  for (const [name, begin] of WAYS) {
    const costs = new Map<string, number[]>();
    for (let round = 0; round < rounds; round += 1) {
      const all = Array.from({ length: signIns }, () => begin(scene).steps);
      for (const [index, [step]] of (all[0] ?? []).entries()) {
        const cpu = await cpuDuring(scene.providers, () => each(signIns, 10, async (one) => all[one]?.[index]?.[1]()));
        costs.set(step, [...(costs.get(step) ?? []), cpu / signIns]);
      }
    }
    tables.push({
      title: `CPU of each request: ${name}`,
      columns: ['request', 'µs'],
      rows: [...costs].map(([step, all]) => [step, Math.round(percentile(all, 0.5))]),
    });
  }
  return tables;
}

function milliseconds(microseconds = 0): number {
  return round(microseconds / 1000);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
