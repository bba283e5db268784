/** What has been promised, as rows: what it is, what it is compared with, and whether it has been reached. */
import type { Goal } from '../measure.ts';
import { isReached, judged } from '../results.ts';
import { rounded } from '../statistics.ts';

export const GOAL_COLUMNS: readonly string[] = ['goal', 'ours', 'compared with', 'ratio', 'at most', ''];

export function goalRow(goal: Goal): (string | number)[] {
  const { name, ours, unit, against, limit } = goal;
  return [
    name,
    `${rounded(ours)} ${unit}`,
    against === undefined ? '' : `${against.name}: ${rounded(against.value)} ${unit}`,
    against === undefined ? '' : rounded(judged(goal)),
    against === undefined ? `${limit} ${unit}` : `${limit} times`,
    isReached(goal) ? 'reached' : 'MISSED',
  ];
}
