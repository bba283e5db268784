/** Finds the test files of each suite. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Returns the test files of the short suite, or with `full` those of the long suite, which has all files. */
export function testFiles({ full }) {
  const files = readdirSync('test', { recursive: true }).filter((file) => file.endsWith('.test.ts'));
  return files
    .filter((file) => full || !file.endsWith('.full.test.ts'))
    .map((file) => join('test', file))
    .sort();
}
