/** Memory of a waiting browser: how much the server grows from a few to as many as one process may have. */
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
  withSmallYoungGeneration,
} from '../stage.ts';
import { kilobytes, rounded } from '../statistics.ts';

const SIZES = { full: { few: 5_000, many: 19_900 }, quick: { few: 500, many: 1_990 } } as const;

/** KB a browser. */
interface Growth {
  readonly kind: Kind;
  /** Prepared, but not waiting yet: the ticket and the provider's records. */
  readonly records: number;
  readonly waiting: number;
  /** Of those that wait, what JavaScript and its buffers hold after a collection. */
  readonly held: number;
  readonly sum: number;
}

export const memory: Measure = async (size): Promise<Result> => {
  const kinds = [BARE, KOA, MEMORY, ...PARKED, REDIS, ...REDIS_PARKED];
  const small = [BARE, MEMORY, ...PARKED, REDIS, ...REDIS_PARKED].map(withSmallYoungGeneration);
  const all: Growth[] = [];
  for (const kind of [...kinds, ...small]) all.push(await growth(kind, size));
  return {
    goals: goals(all),
    tables: [
      {
        title: `Memory of a waiting browser, KB (growth from ${SIZES[size].few} to ${SIZES[size].many})`,
        columns: ['server', 'prepared: its records', 'waiting: its stream', 'sum', 'of the stream: held by JavaScript'],
        rows: all.map(({ kind, records, waiting, sum, held }) => [
          kind.name,
          ...[records, waiting, sum, held].map(rounded),
        ]),
        note: 'Growth of resident memory a browser. The first and the second reading follow a full garbage collection, so that what was thrown away before does not count; the last one does not, so that what a server throws away while they connect does. Five seconds of rest before each.',
      },
    ],
    charts: [
      {
        title: 'Memory of a waiting browser',
        kind: 'bars',
        unit: 'KB',
        series: (['waiting', 'records'] as const).map((part) => ({
          name: part === 'waiting' ? 'its stream' : 'its ticket and the provider’s records',
          points: all.map(({ kind, [part]: y }) => ({ x: kind.name, y: rounded(y) })),
        })),
      },
    ],
  };
};

function goals(all: readonly Growth[]): Goal[] {
  const bare = all.find(({ kind }) => kind.name === BARE.name)?.sum ?? Number.NaN;
  return all.flatMap(({ kind, sum }): Goal[] => {
    const ours = { name: `Memory of a waiting browser: ${kind.name}`, ours: sum, unit: 'KB' };
    if (kind.nodeOptions !== undefined || kind === BARE || kind === KOA) return [];
    if ([...PARKED, ...REDIS_PARKED].includes(kind)) return [{ ...ours, limit: 2 }];
    return [{ ...ours, against: { name: BARE.name, value: bare }, limit: 0.8 }];
  });
}

function growth(kind: Kind, size: Size): Promise<Growth> {
  const { few, many } = SIZES[size];
  return onStage(kind, async ({ server, load }) => {
    await load.prepare(few);
    await load.wait(few);
    await settle();
    const first = await server.collected();
    await load.prepare(many - few);
    await settle();
    const prepared = await server.collected();
    await load.wait(many - few);
    await settle();
    const all = await server.usage();
    const { held } = await server.collected();
    const each = (bytes: number): number => kilobytes(bytes) / (many - few);
    return {
      kind,
      records: each(prepared.rss - first.rss),
      waiting: each(all.rss - prepared.rss),
      held: each(held - prepared.held),
      sum: each(all.rss - first.rss),
    };
  });
}
