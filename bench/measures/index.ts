/** Every measure by the name that it is asked for with; they run in this order. */
import type { Measure } from '../measure.ts';

export const MEASURES: Readonly<Record<string, Measure>> = {};
