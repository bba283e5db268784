/**
 * Runs the tests, after bringing and building what they need.
 *
 *     node scripts/test.mjs                     the short suite, with coverage
 *     node scripts/test.mjs --full              the long suite, on each Node version that we support
 *     node scripts/test.mjs [--full] test/…     these files only, or whatever else Mocha is told (`--grep …`)
 *     node scripts/test.mjs --record-times      the short suite; writes down how long each file has taken
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildForTests } from './test-build.mjs';
import { testFiles } from './test-files.mjs';
import { bringTestNeeds } from './test-needs.mjs';

const OUR_FLAGS = ['--full', '--record-times'];
const MOCHA = fileURLToPath(import.meta.resolve('mocha/bin/mocha.js'));
const C8 = fileURLToPath(import.meta.resolve('c8/bin/c8.js'));
/** One process more than there are processors: most tests wait for something most of the time. */
const WORKERS = availableParallelism() + 1;
/** Seconds that each file has taken. */
const TIMES = 'test/times.json';
/** Node versions that `package.json` allows. The long suite runs the tests below these folders on those that do not run it. */
const NODE_VERSIONS = [20, 22, 24, 26];
const ON_EACH_NODE = ['test/http/', 'test/stores/', 'test/ticket/'];

const flags = process.argv.slice(2).filter((argument) => OUR_FLAGS.includes(argument));
const forMocha = process.argv.slice(2).filter((argument) => !OUR_FLAGS.includes(argument));
const full = flags.includes('--full');
process.env.TEST_SUITE = full ? 'full' : 'short';

const passed =
  bringTestNeeds() &&
  (await buildForTests()) &&
  (forMocha.length > 0 ? runSome() : full ? runFull() : flags.includes('--record-times') ? recordTimes() : runShort());
process.exitCode = passed ? 0 : 1;

function runSome() {
  const namesFiles = forMocha.some((argument) => argument.startsWith('test/'));
  return run('node', MOCHA, ...forMocha, ...(namesFiles ? [] : testFiles({ full })));
}

function runShort() {
  const files = alternating(longestFirst(testFiles({ full })));
  const folder = mkdtempSync(join(tmpdir(), 'tests-'));
  // With these the workers know when to write what they have covered: see test/support/worker-coverage.ts.
  process.env.TEST_FILES = `${files.length}`;
  process.env.TEST_FILES_BEGUN = join(folder, 'begun');
  process.env.TEST_WORKERS = `${WORKERS}`;
  const passed = run('node', C8, 'node', MOCHA, ...sideBySide(), ...files);
  rmSync(folder, { recursive: true });
  return passed;
}

/** Runs every part, also after one that has failed, and repeats all failures at the end. */
function runFull() {
  const folder = mkdtempSync(join(tmpdir(), 'tests-'));
  const failures = join(folder, 'failures');
  process.env.TEST_FAILURES = failures;
  const failed = partsOfFullSuite().filter(({ name, run }) => {
    appendFileSync(failures, `\n${name}\n`);
    return !run();
  });
  if (failed.length > 0)
    console.log(`Failed: ${failed.map(({ name }) => name).join(', ')}\n${readFileSync(failures, 'utf8')}`);
  rmSync(folder, { recursive: true });
  return failed.length === 0;
}

function partsOfFullSuite() {
  const files = longestFirst(testFiles({ full }));
  const alone = files.filter(needsWholeMachine);
  const others = files.filter((file) => !needsWholeMachine(file));
  const otherVersions = NODE_VERSIONS.filter((version) => !process.version.startsWith(`v${version}.`));
  return [
    { name: 'side by side', run: () => run('node', MOCHA, ...sideBySide(), ...alternating(others)) },
    { name: 'alone', run: () => run('node', MOCHA, ...alone) },
    { name: 'whole Chromium', run: runInWholeChromium },
    ...otherVersions.map((version) => ({ name: `Node ${version}`, run: () => runOnNode(version) })),
  ];
}

/** Everything else runs in Chromium's headless shell, which has the same engine but no windows. */
function runInWholeChromium() {
  console.log('\n  In the whole of Chromium');
  const files = ['test/chromium/sign-in.test.ts', 'test/chromium/passkey.test.ts'];
  return run('env', `CHROMIUM_PATH=${process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'}`, 'node', MOCHA, ...files);
}

/** The npm package `node` brings the binary of each version. */
function runOnNode(version) {
  process.env.TEST_SUITE = 'short';
  const files = longestFirst(testFiles({ full: false })).filter((file) =>
    ON_EACH_NODE.some((folder) => file.startsWith(folder)),
  );
  console.log(`\n  Node ${version}: ${ON_EACH_NODE.join(', ')}`);
  return run('npx', '--yes', `--package=node@${version}`, '--', 'node', MOCHA, ...sideBySide(), ...files);
}

function recordTimes() {
  const folder = mkdtempSync(join(tmpdir(), 'test-times-'));
  process.env.TEST_TIMES = join(folder, 'times');
  const passed = runShort();
  const lines = readFileSync(process.env.TEST_TIMES, 'utf8').trim().split('\n');
  const times = lines.map((line) => JSON.parse(line)).map(({ file, seconds }) => [file, seconds]);
  writeFileSync(TIMES, `${JSON.stringify(Object.fromEntries(times.sort()), null, 2)}\n`);
  rmSync(folder, { recursive: true });
  return passed;
}

function sideBySide() {
  return ['--parallel', '--jobs', `${WORKERS}`];
}

/**
 * Takes files from both ends in turn: those that take long drive Chromium and need the processor, most of the others wait for something.
 * What comes last is of middle length, so that the processes end at about the same time.
 */
function alternating(files) {
  const half = Math.ceil(files.length / 2);
  const shorter = files.slice(half).reverse();
  return files.slice(0, half).flatMap((file, index) => [file, ...shorter.slice(index, index + 1)]);
}

/** A file that was never measured may take long. */
function longestFirst(files) {
  const times = JSON.parse(readFileSync(TIMES, 'utf8'));
  const seconds = (file) => times[file] ?? Number.POSITIVE_INFINITY;
  return files.toSorted((one, other) => (seconds(one) === seconds(other) ? 0 : seconds(other) - seconds(one)));
}

/** Tests that compare response times, or make ten thousand tickets in a given time. */
function needsWholeMachine(file) {
  return /(timing|abandoned)\.full\.test\.ts$/.test(file);
}

function run(program, ...parameters) {
  return spawnSync(program, parameters, { stdio: 'inherit' }).status === 0;
}
