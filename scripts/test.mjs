/**
 * Runs all tests. Most of them wait for something most of the time, so two processes run side by side: first those that do not mind what
 * happens beside them, then those that hold our bounds in time to a real clock, and at last, alone, the one that compares times.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

const IN_CHROMIUM = ['test/chromium/**/*.test.ts', 'test/security/*{chromium,qrljacking}*.test.ts'];
const THAT_BREAK = ['test/reliability/**/*.test.ts'];
/** Of the tests over HTTP, those that a busy machine would disturb. */
const HELD_TO_TIME =
  'closing,*-nodes,event-stream,events,expiry,health,*-trouble,metrics,remote-sign-out,short-code,watching';
const BY_THE_CLOCK = [
  `test/http/{${HELD_TO_TIME}}.test.ts`,
  'test/stores/**/*.test.ts',
  'test/security/*-redis.test.ts',
];
const COMPARING_TIMES = ['test/security/timing.test.ts'];
const NAMED = [...IN_CHROMIUM, ...THAT_BREAK, ...BY_THE_CLOCK, ...COMPARING_TIMES];
const THE_OTHERS = ['test/**/*.test.ts', ...NAMED.flatMap((files) => ['--ignore', files])];

const passed = [
  await sideBySide(IN_CHROMIUM, THE_OTHERS),
  await sideBySide(THAT_BREAK, BY_THE_CLOCK),
  await ended(mocha(COMPARING_TIMES, 'inherit')),
];
process.exit(passed.every(Boolean) ? 0 : 1);

/** What the others say comes after what these say. */
async function sideBySide(these, others) {
  const beside = mocha(others, 'pipe');
  const said = Promise.all([text(beside.stdout), text(beside.stderr)]);
  const passed = [await ended(mocha(these, 'inherit')), await ended(beside)];
  for (const output of await said) process.stdout.write(output);
  return passed.every(Boolean);
}

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
