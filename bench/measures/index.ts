/** Every measure by the name that it is asked for with; they run in this order. */
import type { Measure } from '../measure.ts';
import { poll } from './poll.ts';
import { profile } from './profile.ts';
import { signIn } from './sign-in.ts';
import { throughput } from './throughput.ts';

export const MEASURES: Readonly<Record<string, Measure>> = { 'sign-in': signIn, poll, throughput, profile };
