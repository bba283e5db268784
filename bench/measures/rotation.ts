/** What it costs to replace the codes of all that wait. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Goal, Measure, Result, Size } from '../measure.ts';
import { during, type Kind, MEMORY, onStage, PARKED, settle } from '../stage.ts';
import { rounded } from '../statistics.ts';

const SIZES = { full: { waiting: 10_000, periods: 3 }, quick: { waiting: 1_000, periods: 1 } } as const;
/** Seconds. */
const OFTEN = 10;
const SELDOM = 60;

interface Rotating {
  readonly rotation: number;
  /** Of a core. */
  readonly share: number;
  readonly eventsASecond: number;
  readonly bytesAnEvent: number;
}

export const rotation: Measure = async (size): Promise<Result> => {
  const goals: Goal[] = [];
  const rows: (string | number)[][] = [];
  for (const kind of [MEMORY, PARKED]) {
    const often = await rotating(kind, OFTEN, size);
    const seldom = await rotating(kind, SELDOM, size);
    // What remains at any rotation is taken away, and with it what the seldom ones cost.
    const cost = (often.share - seldom.share) / (1 - OFTEN / SELDOM);
    goals.push({ name: `Rotation every ${OFTEN} s: ${kind.name}`, ours: cost * 100, unit: '% of a core', limit: 5 });
    for (const { rotation, share, eventsASecond, bytesAnEvent } of [often, seldom]) {
      rows.push([kind.name, rotation, ...[share * 100, eventsASecond, bytesAnEvent].map(rounded)]);
    }
    rows.push([`${kind.name}: rotation alone`, OFTEN, rounded(cost * 100), '', '']);
  }
  return {
    goals,
    tables: [
      {
        title: `Rotation, ${SIZES[size].waiting} waiting`,
        columns: ['server', 'every, s', '% of a core', 'events a second', 'bytes an event, on the wire'],
        rows,
        note: `CPU of the whole process while nothing else happens, re-reading and looking for what expires included. Every ${SELDOM} s takes heartbeats as well, every 15 s, which codes that rotate more often spare: "alone" is what rotation adds.`,
      },
    ],
    charts: [],
  };
};

function rotating(kind: Kind, every: number, size: Size): Promise<Rotating> {
  const { waiting, periods } = SIZES[size];
  return onStage({ ...kind, qrLogin: { ...kind.qrLogin, rotation: every } }, async ({ server, load }) => {
    await load.prepare(waiting);
    await load.wait(waiting);
    await settle();
    const before = await load.traffic();
    const seconds = Math.max(every, periods * OFTEN);
    const { share } = await during(server, () => pause(seconds * 1000));
    const after = await load.traffic();
    const events = after.events - before.events;
    return {
      rotation: every,
      share,
      eventsASecond: events / seconds,
      bytesAnEvent: (after.bytes - before.bytes) / events,
    };
  });
}
