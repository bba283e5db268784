/**
 * Checks that response times do not distinguish unknown, foreign and expired tickets. The server runs in this process,
 * with its store in memory.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { Middleware } from 'koa';
import { World } from '../../support/world.ts';
import { inFront } from '../attack.ts';
import { KINDS, type Kind, LOOKUPS, type Lookup, type PrepareLookup, serverForLookups } from './indistinguishable.ts';

const ROUNDS = 200;
/** The first rounds are slower, because nothing is compiled and cached yet. */
const WARM_UP_ROUNDS = 20;
/**
 * A difference reveals a kind if it exceeds this part of an answer's median time, and is not chance. On a busy machine
 * the times and their differences grow in about the same proportion, so that the rule does not depend on the load.
 */
const NOTICEABLE = 0.25;
/**
 * A difference is chance if zero lies within this many standard deviations of the median. By chance alone, zero lies
 * outside once in 15,000 comparisons.
 */
const DEVIATIONS = 4;

type Other = Exclude<Kind, 'unknown'>;

/** The additional time compared with the unknown kind, in milliseconds. */
interface Difference {
  readonly median: number;
  /** The bounds within which the true median almost certainly lies. */
  readonly from: number;
  readonly to: number;
  /** The median time of an answer. */
  readonly answer: number;
}

describe('an unknown ticket, a ticket of another account and an expired one', function () {
  this.timeout(300_000);

  for (const [name, prepare] of Object.entries(LOOKUPS)) {
    it(`take the same time when a stranger tries ${name}`, () =>
      World.during(serverForLookups(), async (world) => {
        const { foreign, expired } = await compareTimes(await prepare(world));
        expect(isNoticeable(foreign), `foreign: ${JSON.stringify(foreign)}`).to.equal(false);
        expect(isNoticeable(expired), `expired: ${JSON.stringify(expired)}`).to.equal(false);
      }));
  }

  for (const kind of ['foreign', 'expired'] as const) {
    it(`are told apart by this comparison if an answer to the ${kind} one takes twice as long`, async () => {
      const slow = { path: '', milliseconds: 0 };
      const delay: Middleware = async (ctx, next) => {
        if (ctx.path === slow.path) await pause(slow.milliseconds);
        await next();
      };
      await World.during(serverForLookups(inFront(delay)), async (world) => {
        const lookup = await prepareTicketLookup(world);
        slow.milliseconds = Math.ceil((await compareTimes(lookup)).foreign.answer);
        slow.path = new URL(lookup.targets[kind]).pathname;
        const found = await compareTimes(lookup);
        const other = kind === 'foreign' ? 'expired' : 'foreign';
        expect(isNoticeable(found[kind]), JSON.stringify(found[kind])).to.equal(true);
        expect(isNoticeable(found[other]), JSON.stringify(found[other])).to.equal(false);
      });
    });
  }
});

const prepareTicketLookup: PrepareLookup = async (world) => {
  const lookup = await LOOKUPS['to look at a ticket']?.(world);
  if (lookup === undefined) throw new Error('there is no such request');
  return lookup;
};

function isNoticeable({ median, from, to, answer }: Difference): boolean {
  return Math.abs(median) > NOTICEABLE * answer && (from > 0 || to < 0);
}

/** Asks for all kinds in each round, so that a slow moment of the machine affects all of them. */
async function compareTimes({ targets, send }: Lookup): Promise<Record<Other, Difference>> {
  const rounds: Record<Kind, number>[] = [];
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    const took: Record<Kind, number> = { unknown: 0, foreign: 0, expired: 0 };
    // The order changes, because the first request may pay for the garbage of earlier ones.
    for (const kind of shuffled(KINDS)) {
      const began = performance.now();
      await send(targets[kind]);
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

/** Returns the median, and bounds for the true median by rank, because its rank is binomially distributed. */
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
