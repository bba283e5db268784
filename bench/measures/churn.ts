/** Measures a server at which many browsers wait while others come, wait, are approved and leave. */
import type { Goal, Measure, Result, Size } from '../measure.ts';
import { BARE, during, type Kind, KOA, MEMORY, onStage, PARKED, type Stage, settle, warmUp } from '../stage.ts';
import { kilobytes, percentile, rounded } from '../statistics.ts';

const SIZES = {
  full: { waiting: 10_000, approved: 1_500, coming: { seconds: 30, rate: 500, stay: 2_000 } },
  quick: { waiting: 1_000, approved: 50, coming: { seconds: 5, rate: 100, stay: 500 } },
} as const;

interface Churn {
  readonly kind: Kind;
  /** KB that JavaScript holds for each prepared browser. */
  readonly records: number;
  /** KB for each waiting browser, at the end. */
  readonly waiting: number;
  /** Latency of an approval in microseconds. */
  readonly p50: number;
  readonly p99: number;
  /** CPU time of the server for each browser that came, in microseconds. */
  readonly cpu: number;
  /** CPU use as a share of one core. */
  readonly share: number;
}

export const churn: Measure = async (size): Promise<Result> => {
  const all: Churn[] = [];
  for (const kind of [BARE, KOA, MEMORY, PARKED]) all.push(await churnOf(kind, size));
  const { waiting, approved, coming } = SIZES[size];
  const title = `${waiting} waiting, ${coming.rate} a second come and go`;
  return {
    goals: goals(all),
    tables: [
      {
        title,
        columns: [
          'server',
          'KB: records',
          'KB: stream, at the end',
          'KB: sum',
          'Approve to notified, p50 µs',
          'Approve to notified, p99 µs',
          'CPU µs a browser',
          '% of a core',
        ],
        rows: all.map(({ kind, records, waiting, p50, p99, cpu, share }) => [
          kind.name,
          ...[records, waiting, records + waiting, p50, p99, cpu, share * 100].map(rounded),
        ]),
        note: `For ${coming.seconds} s, authorized browsers arrive, stay for ${coming.stay / 1000} s and leave. A phone that has scanned before approves ${approved} of them at the end of their stay. "KB: records" is what JavaScript holds for a prepared browser. "KB: stream" is the growth of resident memory for each waiting browser, from a full garbage collection before any browser waits to the moment when the last arrival has left.`,
      },
    ],
    charts: [
      {
        title: `${title}: Approve to notified, p99`,
        kind: 'bars',
        unit: 'µs',
        series: [{ name: 'p99', points: all.map(({ kind, p99 }) => ({ x: kind.name, y: rounded(p99) })) }],
      },
    ],
  };
};

function goals([bare, ...others]: readonly Churn[]): Goal[] {
  if (bare === undefined) return [];
  return others
    .filter(({ kind }) => kind !== KOA)
    .flatMap(({ kind, records, waiting, p99 }): Goal[] => {
      const sum = {
        name: `Memory of a waiting browser, under churn: ${kind.name}`,
        ours: records + waiting,
        unit: 'KB',
      };
      const against = { name: bare.kind.name, value: bare.records + bare.waiting };
      return [
        kind === PARKED ? { ...sum, limit: 4 } : { ...sum, against, limit: 0.8 },
        {
          name: `Approve to notified under churn, p99: ${kind.name}`,
          ours: p99,
          unit: 'µs',
          against: { name: bare.kind.name, value: bare.p99 },
          limit: 2,
        },
      ];
    });
}

function churnOf(kind: Kind, size: Size): Promise<Churn> {
  return onStage(kind, (stage) => comeAndGo(kind, stage, size));
}

async function comeAndGo(kind: Kind, { server, load }: Stage, size: Size): Promise<Churn> {
  const { waiting, approved, coming } = SIZES[size];
  const prepared = waiting + coming.seconds * coming.rate;
  await warmUp(load, waiting / 10);
  await settle();
  const empty = await server.collected();
  await load.prepare(prepared);
  await load.ready(approved);
  await settle();
  const before = await server.collected();
  await load.wait(waiting);
  await settle();
  const { result, cpu, share } = await during(server, () => load.comeAndGo(coming));
  const { rss } = await server.usage();
  return {
    kind,
    records: kilobytes(before.held - empty.held) / prepared,
    waiting: kilobytes(rss - before.rss) / waiting,
    p50: percentile(result.latencies, 0.5),
    p99: percentile(result.latencies, 0.99),
    cpu: cpu / result.arrived,
    share,
  };
}
