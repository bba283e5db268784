/** Finds the test files of each suite, and those that an argument of `npm test` names. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';

const TEST_FILE = /\.test\.ts$/;
/** The characters of a glob, which Mocha expands itself. */
const GLOB = /[*?[\]{}!]/;

/** Returns the test files of the short suite, or with `full` those of the long suite, which has all files. */
export function testFiles({ full }) {
  const files = readdirSync('test', { recursive: true }).filter((file) => TEST_FILE.test(file));
  return files
    .filter((file) => full || !file.endsWith('.full.test.ts'))
    .map((file) => join('test', file))
    .sort();
}

/** Returns true if an argument names tests by a path, as in `test/http`. */
export function isTestPath(argument) {
  return /^test(\/|$)/.test(normalize(argument));
}

/**
 * Returns the test files that a path names: one file, or all files of this suite in a folder. Mocha would ignore a
 * folder, because it looks only for files that end with `.js`. A glob is returned as it is.
 *
 * @throws Error if the path names no test file, so that a typing error is not taken for a success
 */
export function testFilesAt(argument, { full }) {
  if (GLOB.test(argument)) return [argument];
  const path = normalize(argument);
  if (!existsSync(path)) throw new Error(`there is no ${path}`);
  if (!statSync(path).isDirectory()) {
    if (TEST_FILE.test(path)) return [path];
    throw new Error(`${path} has no tests: the names of test files end with .test.ts`);
  }
  const files = testFiles({ full }).filter((file) => file.startsWith(`${path}/`));
  if (files.length > 0) return files;
  throw new Error(`${path} has no test files in the ${full ? 'long' : 'short'} suite`);
}

function normalize(argument) {
  return posix.normalize(argument).replace(/\/$/, '');
}
