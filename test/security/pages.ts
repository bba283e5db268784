/** Rows 10, 11 and 12: what the pages let others do, and what they say. */
import type { Attack } from './attack.ts';
import { confirmAttacks } from './pages-confirm.ts';
import { headerAttacks } from './pages-headers.ts';
import { markupAttacks } from './pages-markup.ts';
import { wordAttacks } from './pages-words.ts';

export const attacks: Attack[] = [...headerAttacks, ...markupAttacks, ...wordAttacks, ...confirmAttacks];
