/**
 * Mocha's "spec" reporter, which also appends each failure to the file that the environment variable `TEST_FAILURES`
 * names. `scripts/test.mjs` prints that file at the end of a run of several parts: the first failures are otherwise
 * thousands of lines above.
 */
import { appendFileSync } from 'node:fs';
import Mocha from 'mocha';

const { EVENT_TEST_FAIL } = Mocha.Runner.constants;

export default class TestReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failures = process.env.TEST_FAILURES;
    if (failures === undefined) return;
    runner.on(EVENT_TEST_FAIL, (test, error) =>
      appendFileSync(failures, `\n  ${test.fullTitle()}\n    ${error.stack ?? error.message}\n`),
    );
  }
}
