/**
 * Runs all tests, in two processes at once: most of them wait for something most of the time. What the second one says follows when
 * the first one has ended.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

const BROWSERS_AND_ATTACKS = ['test/chromium/**/*.test.ts', 'test/security/**/*.test.ts'];
const OTHERS = ['test/**/*.test.ts', ...BROWSERS_AND_ATTACKS.flatMap((files) => ['--ignore', files])];

const [first, second] = [mocha(BROWSERS_AND_ATTACKS, 'inherit'), mocha(OTHERS, 'pipe')];
const said = Promise.all([text(second.stdout), text(second.stderr)]);
const failed = (await Promise.all([once(first, 'close'), once(second, 'close')])).some(([code]) => code !== 0);
for (const output of await said) process.stdout.write(output);
process.exit(failed ? 1 : 0);

function mocha(files, stdio) {
  return spawn(process.execPath, ['node_modules/mocha/bin/mocha.js', ...files], { stdio: ['ignore', stdio, stdio] });
}
