/**
 * Writes what a worker process has covered before Mocha ends it: Mocha gives its workers one second for that, and writing takes longer. A worker
 * knows that it has run its last file when every file of the run has begun.
 */
import { appendFileSync, statSync } from 'node:fs';
import { stopCoverage, takeCoverage } from 'node:v8';

/** The environment variable with the path of a file that gets a byte for each test file that begins. */
const BEGUN = 'TEST_FILES_BEGUN';
/** The environment variable with the number of test files. */
const FILES = 'TEST_FILES';

export function noteBegin(): void {
  const begun = process.env[BEGUN];
  if (begun !== undefined) appendFileSync(begun, '.');
}

export function writeCoverageAfterLastFile(): void {
  const begun = process.env[BEGUN];
  if (begun === undefined || statSync(begun).size < Number(process.env[FILES])) return;
  takeCoverage();
  stopCoverage();
}
