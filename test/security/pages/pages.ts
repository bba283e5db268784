/** Rows 10, 11 and 12: what the pages let others do, and what they say. */
import type { Attack } from '../attack.ts';
import { confirmAttacks } from './confirm.ts';
import { headerAttacks } from './headers.ts';
import { markupAttacks } from './markup.ts';
import { wordAttacks } from './words.ts';

export const attacks: Attack[] = [...headerAttacks, ...markupAttacks, ...wordAttacks, ...confirmAttacks];
