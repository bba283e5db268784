/** Measures the time from sending the phone's POST to receiving the event at a browser, while many browsers wait. */
import type { Goal, Measure, Result, Size } from '../measure.ts';
import { BARE, type Kind, MEMORY, onStage, PARKED, REDIS, type StageOptions, settle } from '../stage.ts';
import { percentile, rounded } from '../statistics.ts';

const SIZES = {
  full: { waiting: 10_000, warmUp: 200, times: 2_000 },
  quick: { waiting: 1_000, warmUp: 20, times: 100 },
} as const;

interface Case {
  readonly kind: Kind;
  readonly name: string;
  readonly options?: StageOptions;
  /** The limits, as multiples of bare `http`, at the median and at the 99th percentile. */
  readonly limits?: { readonly p50: number; readonly p99: number };
}

interface Latency extends Case {
  readonly p50: number;
  readonly p99: number;
}

const CASES: readonly Case[] = [
  { kind: BARE, name: BARE.name },
  ...[MEMORY, PARKED].map((kind) => ({ kind, name: kind.name, limits: { p50: 3, p99: 2 } })),
  { kind: REDIS, name: 'plugin, node to node over Redis', options: { phonesApart: true }, limits: { p50: 5, p99: 3 } },
];

export const push: Measure = async (size): Promise<Result> => {
  const all: Latency[] = [];
  for (const one of CASES) all.push(await latency(one, size));
  return {
    goals: goals(all),
    tables: [
      {
        title: `Approve to notified, ${SIZES[size].waiting} waiting, µs`,
        columns: ['server', 'p50', 'p99'],
        rows: all.map(({ name, p50, p99 }) => [name, rounded(p50), rounded(p99)]),
        note: `${SIZES[size].times} approvals, one after the other. Each notifies the browser that has waited longest; it leaves, and a new browser arrives. Bare http answers a POST by pushing one event; the plugin first checks the session, the form and the limits, and swaps the ticket.`,
      },
    ],
    charts: [
      {
        title: `Approve to notified, ${SIZES[size].waiting} waiting`,
        kind: 'bars',
        unit: 'µs',
        series: (['p50', 'p99'] as const).map((share) => ({
          name: share,
          points: all.map(({ name, [share]: y }) => ({ x: name, y: rounded(y) })),
        })),
      },
    ],
  };
};

function goals([bare, ...ours]: readonly Latency[]): Goal[] {
  if (bare === undefined) return [];
  return ours.flatMap(({ name, limits, ...measured }) =>
    (['p50', 'p99'] as const).map((share) => ({
      name: `Approve to notified, ${share}: ${name}`,
      ours: measured[share],
      unit: 'µs',
      against: { name: bare.name, value: bare[share] },
      limit: limits?.[share] ?? Number.NaN,
    })),
  );
}

function latency(one: Case, size: Size): Promise<Latency> {
  const { waiting, warmUp, times } = SIZES[size];
  return onStage(
    one.kind,
    async ({ load }) => {
      await load.prepare(waiting + warmUp + times);
      await load.wait(waiting);
      await settle();
      await load.push(warmUp);
      const latencies = await load.push(times);
      return { ...one, p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
    },
    one.options,
  );
}
