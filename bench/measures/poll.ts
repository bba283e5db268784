/**
 * Measures the cost of a browser that polls while it waits, and compares it with a bare Koa route and with the stream.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Chart, Result, Size, Table } from '../measure.ts';
import { start } from '../programs.ts';
import type { KoaPollOptions } from '../servers/koa-poll.ts';
import { expectStatus, findInBody } from '../sign-ins/checked.ts';
import { each } from '../sign-ins/crowd.ts';
import { Nodes } from '../sign-ins/nodes.ts';
import type { QrSignIn } from '../sign-ins/qr-sign-in.ts';
import { cpuDuring, openScene, type Scene } from '../sign-ins/scene.ts';
import { takeSteps } from '../sign-ins/sign-in.ts';
import { percentile } from '../statistics.ts';

interface Extent {
  readonly rounds: number;
  /** Polls per round. */
  readonly polls: number;
  /** The number of browsers that listen to a stream, or use long polls. */
  readonly browsers: number;
  /** The time for which they listen or poll, in milliseconds. */
  readonly time: number;
}

const SIZES: Readonly<Record<Size, Extent>> = {
  full: { rounds: 11, polls: 1000, browsers: 500, time: 60_000 },
  quick: { rounds: 3, polls: 300, browsers: 50, time: 11_000 },
};
const AT_A_TIME = 10;
/** The number of browsers that poll in turn. It is so large that no browser exceeds the rate limit per address. */
const POLLING = 100;
const MINUTE_MS = 60_000;

export async function poll(size: Size): Promise<Result> {
  const extent = SIZES[size];
  const scene = await openScene();
  try {
    const { koa, ours } = await measurePolls(scene, extent);
    const stream = await measureStreams(scene, extent);
    const long = await measureLongPolls(scene, extent);
    const rows: [string, number][] = [
      ['Koa route, polled once a second', (koa * 60) / 1000],
      ['this plugin, polled once a second', (ours * 60) / 1000],
      ['this plugin, polled every 3 s', (ours * 20) / 1000],
      ['this plugin, long poll', long],
      ['this plugin, stream', stream.minute],
    ];
    return {
      goals: [
        {
          name: 'CPU of a poll',
          ours: round(ours),
          unit: 'µs',
          against: { name: 'a Koa route with a response of the same size', value: round(koa) },
          limit: 2,
        },
      ],
      tables: [minuteTable(rows, stream.opening)],
      charts: [chart(rows)],
    };
  } finally {
    await scene.close();
  }
}

/** Returns the CPU time of one poll of the plugin and of the bare route in microseconds: the medians of the rounds. */
async function measurePolls(
  scene: Scene,
  { rounds, polls }: Extent,
): Promise<{ readonly koa: number; readonly ours: number }> {
  const requests = (await showCodes(scene, POLLING)).map((signIn) => signIn.poll());
  const answer = expectStatus(await scene.nodes.send(requests[0] ?? ''), 200);
  const bare = await start('servers/koa-poll.ts', { body: JSON.parse(answer.body) } satisfies KoaPollOptions);
  const url = await bare.ask<string>('url');
  const nodes = new Nodes(url, [Number(new URL(url).port)]);
  const cpu: { readonly koa: number[]; readonly ours: number[] } = { koa: [], ours: [] };
  const ask = async (at: Nodes, one: number): Promise<void> => {
    findInBody(expectStatus(await at.send(requests[one % POLLING] ?? ''), 200), /"state":"(waiting)"/);
  };
  try {
    for (let turn = -1; turn < rounds; turn += 1) {
      const koa = await cpuDuring([bare], () => each(polls, AT_A_TIME, (one) => ask(nodes, one)));
      const ours = await cpuDuring(scene.providers, () => each(polls, AT_A_TIME, (one) => ask(scene.nodes, one)));
      // The first turn only warms up: code is still being compiled.
      if (turn < 0) continue;
      cpu.koa.push(koa / polls);
      cpu.ours.push(ours / polls);
    }
  } finally {
    nodes.close();
    await bare.stop();
  }
  return { koa: percentile(cpu.koa, 0.5), ours: percentile(cpu.ours, 0.5) };
}

/**
 * Returns the CPU time of opening a stream in microseconds, and of a minute on it in milliseconds, without the server's
 * idle load.
 */
async function measureStreams(
  scene: Scene,
  { browsers, time }: Extent,
): Promise<{ readonly opening: number; readonly minute: number }> {
  const signIns = await showCodes(scene, browsers);
  const idle = await cpuDuring(scene.providers, () => sleep(time / 4));
  const opening = await cpuDuring(scene.providers, () =>
    each(browsers, AT_A_TIME, async (one) => signIns[one]?.steps[2]?.[1]()),
  );
  const cpu = (await cpuDuring(scene.providers, () => sleep(time))) - 4 * idle;
  for (const signIn of signIns) signIn.leave();
  return { opening: opening / browsers, minute: ((cpu / browsers) * MINUTE_MS) / time / 1000 };
}

/**
 * Returns the CPU time of a minute of long polls in milliseconds. After each answer, a browser sends the next poll, with
 * `after`.
 */
async function measureLongPolls(scene: Scene, { browsers, time }: Extent): Promise<number> {
  const signIns = await showCodes(scene, browsers);
  let isOver = false;
  const wait = async (signIn: QrSignIn): Promise<void> => {
    let after = '';
    while (!isOver) {
      const answer = expectStatus(await scene.nodes.send(signIn.poll(after)), 200);
      after = `&after=${findInBody(answer, /"version":(\d+)/)}`;
    }
  };
  let all: Promise<unknown> = Promise.resolve();
  const cpu = await cpuDuring(scene.providers, () => {
    all = Promise.all(signIns.map(wait));
    return Promise.race([all.then(() => undefined), sleep(time)]);
  });
  isOver = true;
  await all;
  return ((cpu / browsers) * MINUTE_MS) / time / 1000;
}

/** Returns browsers that show a code. */
async function showCodes({ crowd }: Scene, browsers: number): Promise<QrSignIn[]> {
  await crowd.prepareNew(browsers);
  const signIns = Array.from({ length: browsers }, () => crowd.beginInNewBrowser());
  await each(browsers, AT_A_TIME, async (one) => {
    const signIn = signIns[one];
    if (signIn !== undefined) await takeSteps(signIn, 2);
  });
  return signIns;
}

function minuteTable(rows: readonly [string, number][], opening: number): Table {
  return {
    title: 'CPU of a browser that waits for a minute',
    columns: ['way', 'ms'],
    rows: rows.map(([way, cpu]) => [way, round(cpu)]),
    note: `The page polls every 3 s only if neither a stream nor a long poll gets through. Codes rotate every 10 s. Opening a stream costs ${round(opening / 1000)} ms once.`,
  };
}

function chart(rows: readonly [string, number][]): Chart {
  const points = rows.map(([x, y]) => ({ x, y: round(y) }));
  return {
    title: 'CPU of a browser that waits for a minute',
    kind: 'bars',
    unit: 'ms',
    series: [{ name: 'CPU', points }],
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
