/** Lists all measures by the name that is given on the command line. They run in this order. */
import type { Measure } from '../measure.ts';
import { churn } from './churn.ts';
import { firstCode } from './first-code.ts';
import { grants } from './grants.ts';
import { memory } from './memory.ts';
import { poll } from './poll.ts';
import { profile } from './profile.ts';
import { push } from './push.ts';
import { rotation } from './rotation.ts';
import { scale } from './scale.ts';
import { signIn } from './sign-in.ts';
import { throughput } from './throughput.ts';

export const MEASURES: Readonly<Record<string, Measure>> = {
  'first-code': firstCode,
  memory,
  churn,
  push,
  rotation,
  scale,
  'sign-in': signIn,
  poll,
  throughput,
  profile,
  grants,
};
