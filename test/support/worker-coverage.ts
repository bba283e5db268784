/**
 * Writes the coverage of a worker process before Mocha ends the process. Mocha gives its workers one second at the end,
 * and writing takes longer. A worker cannot know which file is its last one. As soon as the workers may have taken all
 * files, it therefore writes the coverage after each file.
 */
import { appendFileSync, statSync } from 'node:fs';
import { stopCoverage, takeCoverage } from 'node:v8';

/** The environment variable with the path of a file that gets a byte for each test file that begins. */
const BEGUN = 'TEST_FILES_BEGUN';
/** The environment variable with the number of test files. */
const FILES = 'TEST_FILES';
/** The environment variable with the number of worker processes. */
const WORKERS = 'TEST_WORKERS';

export function noteBegin(): void {
  const begun = process.env[BEGUN];
  if (begun !== undefined) appendFileSync(begun, '.');
}

export function writeCoverageNearTheEnd(): void {
  const begun = process.env[BEGUN];
  if (begun === undefined) return;
  // Each of the other workers may have taken a file that it is still loading.
  const unbegun = Number(process.env[FILES]) - statSync(begun).size;
  if (unbegun >= Number(process.env[WORKERS])) return;
  takeCoverage();
  if (unbegun === 0) stopCoverage();
}
