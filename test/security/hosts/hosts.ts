/** Rows 18 and 19: what a request says of where it comes from and where it goes to. */
import type { Attack } from '../attack.ts';
import { addressAttacks } from './addresses.ts';
import { nameAttacks } from './names.ts';

export const attacks: Attack[] = [...nameAttacks, ...addressAttacks];
