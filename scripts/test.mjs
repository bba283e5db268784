/**
 * Runs the tests, after installing and building everything that they need.
 *
 *     node scripts/test.mjs                     the short suite, with coverage
 *     node scripts/test.mjs --full              the long suite, on each Node version that we support
 *     node scripts/test.mjs [--full] test/…     only these files and folders; other arguments go to Mocha (`--grep …`)
 *     node scripts/test.mjs --record-times      the short suite; records how long each file took
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildForTests } from './test-build.mjs';
import { isTestPath, testFiles, testFilesAt } from './test-files.mjs';
import { installTestNeeds } from './test-needs.mjs';

const OUR_FLAGS = ['--full', '--record-times'];
const MOCHA = fileURLToPath(import.meta.resolve('mocha/bin/mocha.js'));
const C8 = fileURLToPath(import.meta.resolve('c8/bin/c8.js'));
/** One process more than there are processors, because most tests spend most of their time waiting. */
const WORKERS = availableParallelism() + 1;
/** The file that records how many seconds each test file took. */
const TIMES = 'test/times.json';
/**
 * Node versions that `package.json` allows. The long suite runs on one of them, and also runs the tests in these
 * folders on the others.
 */
const NODE_VERSIONS = [20, 22, 24, 26];
const ON_EACH_NODE = ['test/http/', 'test/stores/', 'test/ticket/'];

const flags = process.argv.slice(2).filter((argument) => OUR_FLAGS.includes(argument));
const forMocha = process.argv.slice(2).filter((argument) => !OUR_FLAGS.includes(argument));
const full = flags.includes('--full');
process.env.TEST_SUITE = full ? 'full' : 'short';
// Before anything is installed or built, so that a typing error is reported at once.
const namedFiles = filesNamedBy(forMocha.filter(isTestPath));

const passed =
  installTestNeeds() &&
  (await buildForTests()) &&
  (forMocha.length > 0 ? runSome() : full ? runFull() : flags.includes('--record-times') ? recordTimes() : runShort());
process.exitCode = passed ? 0 : 1;

/** Runs the named files and folders, or all files if the arguments are only options of Mocha. */
function runSome() {
  const files = namedFiles.length > 0 ? namedFiles : testFiles({ full });
  return run('node', MOCHA, ...forMocha.filter((argument) => !isTestPath(argument)), ...files);
}

/** Returns the test files that the arguments name. Ends the process with a message if one of them names none. */
function filesNamedBy(paths) {
  try {
    return [...new Set(paths.flatMap((path) => testFilesAt(path, { full })))];
  } catch (error) {
    console.error(`npm test: ${error.message}`);
    process.exit(2);
  }
}

function runShort() {
  const files = alternate(sortLongestFirst(testFiles({ full })));
  const folder = mkdtempSync(join(tmpdir(), 'tests-'));
  // The workers need these to know when to write their coverage: see test/support/worker-coverage.ts.
  process.env.TEST_FILES = `${files.length}`;
  process.env.TEST_FILES_BEGUN = join(folder, 'begun');
  process.env.TEST_WORKERS = `${WORKERS}`;
  const passed = run('node', C8, 'node', MOCHA, ...sideBySide(), ...files);
  rmSync(folder, { recursive: true });
  return passed;
}

/** Runs every part, even after one has failed, and prints all failures again at the end. */
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
  const files = sortLongestFirst(testFiles({ full }));
  const alone = files.filter(needsWholeMachine);
  const others = files.filter((file) => !needsWholeMachine(file));
  const otherVersions = NODE_VERSIONS.filter((version) => !process.version.startsWith(`v${version}.`));
  return [
    { name: 'side by side', run: () => run('node', MOCHA, ...sideBySide(), ...alternate(others)) },
    { name: 'alone', run: () => run('node', MOCHA, ...alone) },
    { name: 'whole Chromium', run: runInWholeChromium },
    ...otherVersions.map((version) => ({ name: `Node ${version}`, run: () => runOnNode(version) })),
  ];
}

/**
 * Runs sign-in and passkey tests in full Chromium. All other tests use its headless shell, which is the same engine
 * without windows.
 */
function runInWholeChromium() {
  console.log('\n  In the whole of Chromium');
  const files = ['test/chromium/sign-in.test.ts', 'test/chromium/passkey.test.ts'];
  return run('env', `CHROMIUM_PATH=${process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'}`, 'node', MOCHA, ...files);
}

/** Runs the tests of some folders on another Node version, which the npm package `node` provides. */
function runOnNode(version) {
  process.env.TEST_SUITE = 'short';
  const files = sortLongestFirst(testFiles({ full: false })).filter((file) =>
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
 * Returns the files in alternating order: one long, one short. The long ones drive Chromium and need the processor, and
 * most of the others wait. Files of medium length come last, so that all processes end at about the same time.
 */
function alternate(files) {
  const half = Math.ceil(files.length / 2);
  const shorter = files.slice(half).reverse();
  return files.slice(0, half).flatMap((file, index) => [file, ...shorter.slice(index, index + 1)]);
}

/**
 * Sorts the files by recorded time. A file without a record may take long, so it comes first, as do the files that take
 * minutes in the long suite only.
 */
function sortLongestFirst(files) {
  const times = JSON.parse(readFileSync(TIMES, 'utf8'));
  const isLong = (file) => full && /(resume|exchange)-faults\.test\.ts$/.test(file);
  const seconds = (file) => (isLong(file) ? undefined : times[file]) ?? Number.POSITIVE_INFINITY;
  return files.toSorted((one, other) => (seconds(one) === seconds(other) ? 0 : seconds(other) - seconds(one)));
}

/** Returns true for tests that compare response times, or create ten thousand tickets within a given time. */
function needsWholeMachine(file) {
  return /(timing|abandoned)\.full\.test\.ts$/.test(file);
}

function run(program, ...parameters) {
  return spawnSync(program, parameters, { stdio: 'inherit' }).status === 0;
}
