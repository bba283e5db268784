/**
 * Measures the memory of a waiting browser: the growth of a server from a few browsers to the most that one process may
 * have.
 */
import type { Goal, Measure, Result, Size } from '../measure.ts';
import {
  BARE,
  type Kind,
  KOA,
  MEMORY,
  onStage,
  PARKED,
  REDIS,
  REDIS_PARKED,
  settle,
  warmUp,
  withSmallYoungGeneration,
} from '../stage.ts';
import { kilobytes, rounded } from '../statistics.ts';

const SIZES = { full: { few: 5_000, many: 19_900 }, quick: { few: 500, many: 1_990 } } as const;

const WHEN = { running: 'as it runs', collected: 'after a garbage collection' } as const;

/** Growth of a server's memory, in KB per browser. */
interface Growth {
  readonly kind: Kind;
  /** Resident memory while the server runs. */
  readonly running: number;
  /** Resident memory after a full garbage collection. */
  readonly collected: number;
  /**
   * Memory that JavaScript and its buffers hold for a prepared browser that does not wait yet: the ticket and the
   * provider's records.
   */
  readonly records: number;
  /** Memory that JavaScript and its buffers hold for a stream. */
  readonly stream: number;
}

export const memory: Measure = async (size): Promise<Result> => {
  const kinds = [BARE, KOA, MEMORY, PARKED, REDIS, REDIS_PARKED];
  const small = [BARE, MEMORY, PARKED, REDIS, REDIS_PARKED].map(withSmallYoungGeneration);
  const all: Growth[] = [];
  for (const kind of [...kinds, ...small]) all.push(await measureGrowth(kind, size));
  return {
    goals: goals(all),
    tables: [
      {
        title: `Memory of a waiting browser, KB (growth from ${SIZES[size].few} to ${SIZES[size].many})`,
        columns: ['server', 'as it runs', 'collected', 'held by JavaScript: records', 'held by JavaScript: stream'],
        rows: all.map(({ kind, running, collected, records, stream }) => [
          kind.name,
          ...[running, collected, records, stream].map(rounded),
        ]),
        note: `Growth per browser, on a server where ${SIZES[size].few} browsers have waited and left before. Each reading follows five seconds of rest. Resident memory is read while the server runs and after a full garbage collection. "Held by JavaScript" is what JavaScript and its buffers hold after that: "records" for a prepared browser (authorized, with the page loaded, not yet waiting), "stream" for its event stream.`,
      },
    ],
    charts: [
      {
        title: 'Memory of a waiting browser',
        kind: 'bars',
        unit: 'KB',
        series: (['running', 'collected'] as const).map((when) => ({
          name: WHEN[when],
          points: all.map(({ kind, [when]: y }) => ({ x: kind.name, y: rounded(y) })),
        })),
      },
    ],
  };
};

/**
 * Returns the goals for both readings: while the server runs, and after a garbage collection. Both are needed: garbage
 * that is there while few browsers wait hides some of the growth of the running server.
 */
function goals(all: readonly Growth[]): Goal[] {
  return (['running', 'collected'] as const).flatMap((when) => {
    const bare = all.find(({ kind }) => kind.name === BARE.name)?.[when] ?? Number.NaN;
    return all.flatMap(({ kind, [when]: value }): Goal[] => {
      const ours = { name: `Memory of a waiting browser, ${WHEN[when]}: ${kind.name}`, ours: value, unit: 'KB' };
      if (kind.nodeOptions !== undefined || kind === BARE || kind === KOA) return [];
      if (kind === PARKED || kind === REDIS_PARKED) return [{ ...ours, limit: 2 }];
      return [{ ...ours, against: { name: BARE.name, value: bare }, limit: 0.8 }];
    });
  });
}

function measureGrowth(kind: Kind, size: Size): Promise<Growth> {
  const { few, many } = SIZES[size];
  return onStage(kind, async ({ server, load }) => {
    await warmUp(load, few);
    await load.prepare(few);
    await load.wait(few);
    await settle();
    const before = await server.usage();
    const first = await server.usageAfterCollection();
    await load.prepare(many - few);
    await settle();
    const prepared = await server.usageAfterCollection();
    await load.wait(many - few);
    await settle();
    const after = await server.usage();
    const last = await server.usageAfterCollection();
    const each = (bytes: number): number => kilobytes(bytes) / (many - few);
    return {
      kind,
      running: each(after.rss - before.rss),
      collected: each(last.rss - first.rss),
      records: each(prepared.held - first.held),
      stream: each(last.held - prepared.held),
    };
  });
}
