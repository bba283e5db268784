/** Measures the cost of replacing the codes of all waiting browsers. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Goal, Measure, Result, Size } from '../measure.ts';
import { type Kind, MEMORY, measureDuring, onStage, PARKED, settle } from '../stage.ts';
import { rounded } from '../statistics.ts';

const SIZES = { full: { waiting: 10_000, periods: 3 }, quick: { waiting: 1_000, periods: 1 } } as const;
const OFTEN_S = 10;
const SELDOM_S = 60;

interface RotationLoad {
  readonly rotation: number;
  /** CPU use as a share of one core. */
  readonly share: number;
  readonly eventsASecond: number;
  readonly bytesAnEvent: number;
}

export const rotation: Measure = async (size): Promise<Result> => {
  const goals: Goal[] = [];
  const rows: (string | number)[][] = [];
  for (const kind of [MEMORY, PARKED]) {
    const often = await measureRotation(kind, OFTEN_S, size);
    const seldom = await measureRotation(kind, SELDOM_S, size);
    // The difference removes the load that does not depend on rotation. It also removes the cost of the rare rotations,
    // so it is scaled up.
    const cost = (often.share - seldom.share) / (1 - OFTEN_S / SELDOM_S);
    goals.push({ name: `Rotation every ${OFTEN_S} s: ${kind.name}`, ours: cost * 100, unit: '% of a core', limit: 5 });
    for (const { rotation, share, eventsASecond, bytesAnEvent } of [often, seldom]) {
      rows.push([kind.name, rotation, ...[share * 100, eventsASecond, bytesAnEvent].map(rounded)]);
    }
    rows.push([`${kind.name}: rotation alone`, OFTEN_S, rounded(cost * 100), '', '']);
  }
  return {
    goals,
    tables: [
      {
        title: `Rotation, ${SIZES[size].waiting} waiting`,
        columns: ['server', 'every, s', '% of a core', 'events a second', 'bytes an event, on the wire'],
        rows,
        note: `CPU of the whole process while only codes rotate. It includes the slow read (tickets are read again regularly) and the search for expired tickets. With rotation every ${SELDOM_S} s there are heartbeats every 15 s as well, which more frequent rotation makes unnecessary. "alone" is what rotation adds.`,
      },
    ],
    charts: [],
  };
};

function measureRotation(kind: Kind, every: number, size: Size): Promise<RotationLoad> {
  const { waiting, periods } = SIZES[size];
  return onStage({ ...kind, qrLogin: { ...kind.qrLogin, rotation: every } }, async ({ server, load }) => {
    await load.prepare(waiting);
    await load.wait(waiting);
    await settle();
    const before = await load.traffic();
    const seconds = Math.max(every, periods * OFTEN_S);
    const { share } = await measureDuring(server, () => pause(seconds * 1000));
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
