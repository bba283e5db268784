/** Profiles whole sign-ins by QR: the CPU time by area and by file. */
import { readFileSync } from 'node:fs';
import type { Chart, Result, Size, Table } from '../measure.ts';
import { type TimeSpent, timeIn } from '../profile-areas.ts';
import type { Profile } from '../profiler.ts';
import type { Program } from '../programs.ts';
import { each } from '../sign-ins/crowd.ts';
import { cpuDuring, openScene, type Scene } from '../sign-ins/scene.ts';
import { complete } from '../sign-ins/sign-in.ts';

/** The number of measured sign-ins, and of sign-ins before them that warm up, while code is still being compiled. */
const SIZES: Readonly<Record<Size, readonly [signIns: number, warmUp: number]>> = {
  full: [1000, 400],
  quick: [100, 100],
};
const AT_A_TIME = 4;
const MOST_FILES = 20;

export async function profile(size: Size): Promise<Result> {
  const [signIns, warmUp] = SIZES[size];
  const scene = await openScene();
  try {
    await scene.crowd.prepareNew(signIns + warmUp);
    await each(warmUp, AT_A_TIME, () => complete(scene.crowd.beginInNewBrowser()));
    const { spent, cpu } = await profileDuring(scene, () =>
      each(signIns, AT_A_TIME, () => complete(scene.crowd.beginInNewBrowser())),
    );
    return { goals: [], tables: [areas(spent, cpu, signIns), files(spent, signIns)], charts: [chart(spent, signIns)] };
  } finally {
    await scene.close();
  }
}

/**
 * Runs `act` while the only provider of a scene is profiled.
 * @returns the time that its main thread spent, and the CPU time of all its threads in microseconds
 */
export async function profileDuring(
  { providers: [provider, ...others] }: Scene,
  act: () => Promise<void>,
): Promise<{ readonly spent: TimeSpent; readonly cpu: number }> {
  if (provider === undefined || others.length > 0)
    throw new Error('only a scene with a single provider can be profiled');
  await provider.ask('startProfile');
  const before = mainThreadOf(provider);
  const cpu = await cpuDuring([provider], act);
  const main = mainThreadOf(provider) - before;
  return { spent: timeIn(await provider.ask<Profile>('stopProfile'), main), cpu };
}

/**
 * Returns the CPU time of a program's main thread in microseconds. The kernel counts in hundredths of a second
 * (proc(5)).
 */
function mainThreadOf({ pid }: Program): number {
  const fields = readFileSync(`/proc/${pid}/task/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** Returns the entries, those with the longest times first. */
export function sortByTime(times: ReadonlyMap<string, number>): [string, number][] {
  return [...times].sort(([, one], [, other]) => other - one);
}

function areas({ areas, total }: TimeSpent, cpu: number, signIns: number): Table {
  const rows = sortByTime(areas).map(([area, time]) => [area, Math.round(time / signIns), percent(time / total)]);
  const elsewhere = [
    'other threads (signing tokens, collecting garbage, compiling)',
    Math.round((cpu - total) / signIns),
    '',
  ];
  return {
    title: 'Where the time of a sign-in by QR goes',
    columns: ['area', 'µs a sign-in', '% of the main thread'],
    rows: [...rows, elsewhere],
    note:
      'A new browser with the check code, store in memory, sampled by V8 every 0.5 ms. The time of built-in functions counts for their callers. ' +
      'A part of the time is the cost of sampling itself.',
  };
}

function files({ files, total }: TimeSpent, signIns: number): Table {
  const rows = sortByTime(files).slice(0, MOST_FILES);
  return {
    title: 'The same by file of this plugin',
    columns: ['file', 'µs a sign-in', '% of the main thread'],
    rows: rows.map(([file, time]) => [file, Math.round(time / signIns), percent(time / total)]),
  };
}

function chart({ areas }: TimeSpent, signIns: number): Chart {
  const points = sortByTime(areas).map(([x, time]) => ({ x, y: Math.round(time / signIns) }));
  return {
    title: 'Where the time of a sign-in by QR goes',
    kind: 'bars',
    unit: 'µs',
    series: [{ name: 'main thread', points }],
  };
}

function percent(part: number): number {
  return Math.round(part * 1000) / 10;
}
