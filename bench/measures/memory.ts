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
  /** As the server runs. */
  readonly grown: number;
  /** After a full garbage collection: prepared, but not waiting yet, which is the ticket and the provider's records. */
  readonly records: number;
  /** After a full garbage collection: the same with its stream, without those. */
  readonly stream: number;
  /** Of the stream: what JavaScript and its buffers hold. */
  readonly held: number;
}

export const memory: Measure = async (size): Promise<Result> => {
  const kinds = [BARE, KOA, MEMORY, PARKED, REDIS, REDIS_PARKED];
  const small = [BARE, MEMORY, PARKED, REDIS, REDIS_PARKED].map(withSmallYoungGeneration);
  const all: Growth[] = [];
  for (const kind of [...kinds, ...small]) all.push(await growth(kind, size));
  return {
    goals: goals(all),
    tables: [
      {
        title: `Memory of a waiting browser, KB (growth from ${SIZES[size].few} to ${SIZES[size].many})`,
        columns: ['server', 'as it runs', 'collected: records', 'collected: stream', 'of the stream: JavaScript'],
        rows: all.map(({ kind, grown, records, stream, held }) => [
          kind.name,
          ...[grown, records, stream, held].map(rounded),
        ]),
        note: 'Growth of resident memory a browser, read after five seconds of rest: as it runs, and after a full garbage collection, where those that are prepared (authorized, the page shown, none waiting) are told from those that wait.',
      },
    ],
    charts: [
      {
        title: 'Memory of a waiting browser, collected',
        kind: 'bars',
        unit: 'KB',
        series: (['stream', 'records'] as const).map((part) => ({
          name: part === 'stream' ? 'its stream' : 'its ticket and the provider’s records',
          points: all.map(({ kind, [part]: y }) => ({ x: kind.name, y: rounded(y) })),
        })),
      },
    ],
  };
};

function goals(all: readonly Growth[]): Goal[] {
  const bare = all.find(({ kind }) => kind.name === BARE.name)?.grown ?? Number.NaN;
  return all.flatMap(({ kind, grown }): Goal[] => {
    const ours = { name: `Memory of a waiting browser: ${kind.name}`, ours: grown, unit: 'KB' };
    if (kind.nodeOptions !== undefined || kind === BARE || kind === KOA) return [];
    if (kind === PARKED || kind === REDIS_PARKED) return [{ ...ours, limit: 2 }];
    return [{ ...ours, against: { name: BARE.name, value: bare }, limit: 0.8 }];
  });
}

function growth(kind: Kind, size: Size): Promise<Growth> {
  const { few, many } = SIZES[size];
  return onStage(kind, async ({ server, load }) => {
    await load.prepare(few);
    await load.wait(few);
    await settle();
    const before = await server.usage();
    const first = await server.collected();
    await load.prepare(many - few);
    await settle();
    const prepared = await server.collected();
    await load.wait(many - few);
    await settle();
    const after = await server.usage();
    const last = await server.collected();
    const each = (bytes: number): number => kilobytes(bytes) / (many - few);
    return {
      kind,
      grown: each(after.rss - before.rss),
      records: each(prepared.rss - first.rss),
      stream: each(last.rss - prepared.rss),
      held: each(last.held - prepared.held),
    };
  });
}
