/** Unknown, foreign and expired are not told apart by how long the answer takes: the server runs in this process, and its store in memory. */
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { Middleware } from 'koa';
import { World } from '../../support/world.ts';
import { inFront } from '../attack.ts';
import { ASKED, type Asked, askable, KINDS, type Kind, type Prepare } from './indistinguishable.ts';

const ROUNDS = 200;
/** The first rounds are slower, because nothing is compiled and cached yet. */
const WARM_UP = 20;
/**
 * A difference gives a kind away if it is more than this part of an answer's median time, and no chance. On a busy machine answers take
 * longer and differ more, both in about the same proportion, so that the rule does not depend on the load.
 */
const NOTICEABLE = 0.25;
/** A difference is chance if zero lies within this many standard deviations of the median: by chance alone, once in 15,000 comparisons. */
const DEVIATIONS = 4;

type Other = Exclude<Kind, 'unknown'>;

/** How much longer than the unknown kind it takes, in milliseconds. */
interface Difference {
  readonly median: number;
  /** The bounds that the true median lies within, all but certainly. */
  readonly from: number;
  readonly to: number;
  /** The median time of an answer. */
  readonly answer: number;
}

describe('codes and tickets that are unknown, foreign or expired', function () {
  this.timeout(300_000);

  for (const [name, prepare] of Object.entries(ASKED)) {
    it(`take the same time: ${name}`, () =>
      World.during(askable(), async (world) => {
        const { foreign, expired } = await compared(await prepare(world));
        expect(isNoticeable(foreign), `foreign: ${JSON.stringify(foreign)}`).to.equal(false);
        expect(isNoticeable(expired), `expired: ${JSON.stringify(expired)}`).to.equal(false);
      }));
  }

  for (const kind of ['foreign', 'expired'] as const) {
    it(`are told apart by a clock where ${kind} takes twice as long`, async () => {
      const slow = { path: '', milliseconds: 0 };
      const delay: Middleware = async (ctx, next) => {
        if (ctx.path === slow.path) await pause(slow.milliseconds);
        await next();
      };
      await World.during(askable(inFront(delay)), async (world) => {
        const asked = await lookedAt(world);
        slow.milliseconds = Math.ceil((await compared(asked)).foreign.answer);
        slow.path = new URL(asked.urls[kind]).pathname;
        const found = await compared(asked);
        const other = kind === 'foreign' ? 'expired' : 'foreign';
        expect(isNoticeable(found[kind]), JSON.stringify(found[kind])).to.equal(true);
        expect(isNoticeable(found[other]), JSON.stringify(found[other])).to.equal(false);
      });
    });
  }
});

const lookedAt: Prepare = async (world) => {
  const asked = await ASKED['a ticket that is looked at']?.(world);
  if (asked === undefined) throw new Error('there is nothing to ask for');
  return asked;
};

function isNoticeable({ median, from, to, answer }: Difference): boolean {
  return Math.abs(median) > NOTICEABLE * answer && (from > 0 || to < 0);
}

/** Asks for all kinds in each round, so that what slows the machine down for a while slows down all of them. */
async function compared({ urls, ask }: Asked): Promise<Record<Other, Difference>> {
  const rounds: Record<Kind, number>[] = [];
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const took: Record<Kind, number> = { unknown: 0, foreign: 0, expired: 0 };
    // In another order each time: the first one may pay for what others left behind.
    for (const kind of shuffled(KINDS)) {
      const began = performance.now();
      await ask(urls[kind]);
      took[kind] = performance.now() - began;
    }
    if (round >= 0) rounds.push(took);
  }
  const answer = medianOf(rounds.map(({ unknown }) => unknown)).median;
  const difference = (kind: Other): Difference => ({
    ...medianOf(rounds.map((took) => took[kind] - took.unknown)),
    answer,
  });
  return { foreign: difference('foreign'), expired: difference('expired') };
}

/** The median, and the bounds that the order of the numbers sets to the true one: the rank of that is binomially distributed. */
function medianOf(numbers: readonly number[]): Pick<Difference, 'median' | 'from' | 'to'> {
  const sorted = numbers.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  const deviation = (DEVIATIONS * Math.sqrt(sorted.length)) / 2;
  const at = (rank: number): number => sorted[Math.floor(rank)] ?? Number.NaN;
  return { median: at(middle), from: at(middle - deviation), to: at(middle + deviation) };
}

function shuffled<T>(items: readonly T[]): T[] {
  const left = [...items];
  return items.flatMap(() => left.splice(randomInt(left.length), 1));
}
