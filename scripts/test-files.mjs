/** Finds the files of each suite. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** @returns the test files of the short suite, or, with `full`, of the long one, which has them all */
export function testFiles({ full }) {
  const files = readdirSync('test', { recursive: true }).filter((file) => file.endsWith('.test.ts'));
  return files
    .filter((file) => full || !file.endsWith('.full.test.ts'))
    .map((file) => join('test', file))
    .sort();
}
