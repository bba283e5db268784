/**
 * Runs all tests. Most of them wait for something most of the time, so two processes run those side by side that do not mind; those
 * that hold our bounds in time to a real clock come after that, by themselves.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

const IN_CHROMIUM = ['test/chromium/**/*.test.ts', 'test/security/*{chromium,qrljacking}*.test.ts'];
/** Of the tests over HTTP, those that a busy machine would disturb. */
const HELD_TO_TIME =
  'closing,*-nodes,event-stream,events,expiry,health,*-trouble,metrics,remote-sign-out,short-code,watching';
const BY_THE_CLOCK = [
  `test/http/{${HELD_TO_TIME}}.test.ts`,
  'test/{reliability,stores}/**/*.test.ts',
  'test/security/{timing,*-redis}.test.ts',
];
const THE_OTHERS = ['test/**/*.test.ts', ...[...IN_CHROMIUM, ...BY_THE_CLOCK].flatMap((files) => ['--ignore', files])];

const beside = mocha(THE_OTHERS, 'pipe');
const said = Promise.all([text(beside.stdout), text(beside.stderr)]);
const passed = [await ended(mocha(IN_CHROMIUM, 'inherit')), await ended(beside)];
for (const output of await said) process.stdout.write(output);
passed.push(await ended(mocha(BY_THE_CLOCK, 'inherit')));
process.exit(passed.every(Boolean) ? 0 : 1);

function mocha(files, stdio) {
  const mine = spawn(process.execPath, ['node_modules/mocha/bin/mocha.js', ...files], {
    stdio: ['ignore', stdio, stdio],
  });
  return { stdout: mine.stdout, stderr: mine.stderr, closed: once(mine, 'close') };
}

/** @returns whether all its tests have passed */
async function ended({ closed }) {
  const [code] = await closed;
  return code === 0;
}
