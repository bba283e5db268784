/**
 * Rows 10, 11 and 12 of the table in docs/security.md: attacks on the headers, the markup and the words of the pages.
 */
import type { Attack } from '../attack.ts';
import { confirmAttacks } from './confirm.ts';
import { headerAttacks } from './headers.ts';
import { markupAttacks } from './markup.ts';
import { nameAttacks } from './names.ts';
import { wordAttacks } from './words.ts';

export const attacks: Attack[] = [
  ...headerAttacks,
  ...markupAttacks,
  ...wordAttacks,
  ...nameAttacks,
  ...confirmAttacks,
];
