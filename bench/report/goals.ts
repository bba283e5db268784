/** Writes goals as rows of a table: the figure, its limit and the verdict. */
import type { Goal } from '../measure.ts';
import { comparedFigure, isReached } from '../results.ts';
import { rounded } from '../statistics.ts';

export const GOAL_COLUMNS: readonly string[] = ['goal', 'measured', 'ratio', 'at most', 'verdict'];

/**
 * The smallest growth of resident memory that can be measured, in KB per browser. The garbage collector and the
 * allocator keep or give back about 30 MB, which is this much for each of the 14,900 browsers of the memory measure.
 */
const RESOLUTION_KB = 2;
export const UNMEASURABLE = 'below what can be measured';

export function goalRow(goal: Goal): (string | number)[] {
  const { name, ours, unit, against, limit } = goal;
  const measurable = isMeasurable(goal);
  return [
    name,
    measurable ? `${rounded(ours)} ${unit}` : UNMEASURABLE,
    measurable && against !== undefined ? rounded(comparedFigure(goal)) : '',
    against === undefined ? `${limit} ${unit}` : `${limit} × ${against.name}`,
    verdictOf(goal),
  ];
}

/** Returns a growth of resident memory as it is printed. @param kb KB per browser */
export function residentGrowth(kb: number): string | number {
  return kb < RESOLUTION_KB ? UNMEASURABLE : rounded(kb);
}

/** A figure below what can be measured proves nothing, so it reaches no goal. */
export function verdictOf(goal: Goal): 'reached' | 'MISSED' | 'not decided' {
  if (!isMeasurable(goal)) return 'not decided';
  return isReached(goal) ? 'reached' : 'MISSED';
}

/** Returns false for a growth of resident memory that is too small. Goals in KB are about such growth, others are not. */
function isMeasurable({ ours, unit, against }: Goal): boolean {
  if (unit !== 'KB') return true;
  return ours >= RESOLUTION_KB && (against === undefined || against.value >= RESOLUTION_KB);
}
