/** Every measure by the name that it is asked for with; they run in this order. */
import type { Measure } from '../measure.ts';
import { churn } from './churn.ts';
import { memory } from './memory.ts';
import { push } from './push.ts';
import { rotation } from './rotation.ts';
import { scale } from './scale.ts';

export const MEASURES: Readonly<Record<string, Measure>> = {
  memory,
  churn,
  push,
  rotation,
  scale,
};
