/** Measures a server at which many browsers wait while others come, wait, are approved and leave. */
import type { Goal, Measure, Result, Size } from '../measure.ts';
import { BARE, type Kind, KOA, MEMORY, measureDuring, onStage, PARKED, type Stage, settle, warmUp } from '../stage.ts';
import { kilobytes, percentile, rounded } from '../statistics.ts';

const SIZES = {
  full: { waiting: 10_000, approved: 1_500, coming: { seconds: 30, rate: 500, stay: 2_000 } },
  quick: { waiting: 1_000, approved: 50, coming: { seconds: 5, rate: 100, stay: 500 } },
} as const;

interface Churn {
  readonly kind: Kind;
  /** KB that JavaScript holds for each browser that has loaded the page and has not opened its stream yet. */
  readonly records: number;
  /** KB for the stream of each waiting browser, at the end. */
  readonly stream: number;
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
          'CPU µs per browser',
          '% of a core',
        ],
        rows: all.map(({ kind, records, stream, p50, p99, cpu, share }) => [
          kind.name,
          ...[records, stream, records + stream, p50, p99, cpu, share * 100].map(rounded),
        ]),
        note: `For ${coming.seconds} s, browsers that have already loaded the QR page arrive, stay for ${coming.stay / 1000} s and leave. ${approved} of them are approved at the end of their stay, by phones that have already scanned their codes. "KB: records" is what JavaScript holds for a browser that has loaded the page and has not opened its stream yet. "KB: stream" is the growth of resident memory for each waiting browser, from a full garbage collection before any browser waits to the moment when the last arrival has left.`,
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
    .flatMap(({ kind, records, stream, p99 }): Goal[] => {
      const sum = {
        name: `Memory of a waiting browser, under churn: ${kind.name}`,
        ours: records + stream,
        unit: 'KB',
      };
      const against = { name: bare.kind.name, value: bare.records + bare.stream };
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
  const empty = await server.usageAfterCollection();
  await load.prepare(prepared);
  await load.scan(approved);
  await settle();
  const before = await server.usageAfterCollection();
  await load.wait(waiting);
  await settle();
  const { result, cpu, share } = await measureDuring(server, () => load.comeAndGo(coming));
  const { rss } = await server.usage();
  return {
    kind,
    records: kilobytes(before.held - empty.held) / prepared,
    stream: kilobytes(rss - before.rss) / waiting,
    p50: percentile(result.latencies, 0.5),
    p99: percentile(result.latencies, 0.99),
    cpu: cpu / result.arrived,
    share,
  };
}
