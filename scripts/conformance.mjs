/**
 * Runs oidc-provider's own tests on `keyvAdapter`, in memory and on Redis, and compares the outcome with that of
 * oidc-provider's own adapter.
 *
 *     npm run conformance               clones the installed version of oidc-provider from GitHub
 *     npm run conformance -- <folder>   uses a checkout; runs `npm ci` there if it has no node_modules
 *
 * Fails if a test fails that oidc-provider's own adapter passes, except for those in `conformance/expected.mjs`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EXPECTED } from './conformance/expected.mjs';

const REPOSITORY = 'https://github.com/panva/node-oidc-provider';
const REDIS_SERVER = process.env.REDIS_SERVER_PATH ?? '/usr/bin/redis-server';
/** The tests use undici 8 and algorithms that Node 20 does not have. */
const NODE = ['--yes', '--package=node@24', '--', 'node'];
const HERE = new URL('conformance/', import.meta.url);

const installed = JSON.parse(readFileSync('node_modules/oidc-provider/package.json', 'utf8')).version;
const temporary = mkdtempSync(join(tmpdir(), 'conformance-'));
process.once('exit', () => rmSync(temporary, { recursive: true, force: true }));

const checkout = prepare(process.argv[2]);
const theirs = runTests("oidc-provider's own adapter", []);
const inMemory = compare('keyvAdapter in memory', runTests('keyvAdapter in memory', useOurs()));
const redis = await startRedis();
const onRedis = compare('keyvAdapter on Redis', runTests('keyvAdapter on Redis', useOurs(), redis.url));
redis.stop();
process.exitCode = inMemory && onRedis ? 0 : 1;

/** Returns a folder with oidc-provider's source, tests and dependencies. */
function prepare(given) {
  const folder = given === undefined ? clone() : resolve(given);
  const file = join(folder, 'package.json');
  if (!existsSync(join(folder, 'test/models.js'))) stop(`${folder} is no checkout of ${REPOSITORY}: no test/models.js`);
  const { version } = JSON.parse(readFileSync(file, 'utf8'));
  console.log(`oidc-provider ${version}${version === installed ? '' : `; installed here: ${installed}`}`);
  if (!existsSync(join(folder, 'node_modules'))) {
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], `install the dependencies in ${folder}`, folder);
  }
  return folder;
}

function clone() {
  const folder = join(temporary, 'oidc-provider');
  const need = `clone ${REPOSITORY} at v${installed}, and name the folder: npm run conformance -- <folder>`;
  run('git', ['clone', '--quiet', '--depth=1', `--branch=v${installed}`, REPOSITORY, folder], need);
  return folder;
}

/** Runs a command. If it fails, says what is needed instead, and exits. */
function run(program, parameters, need, cwd) {
  if (spawnSync(program, parameters, { cwd, stdio: 'inherit' }).status !== 0) stop(`This needs you to ${need}`);
}

function stop(message) {
  console.error(message);
  process.exit(1);
}

/** Returns the flags of Node that put our adapter in the place of theirs. */
function useOurs() {
  return ['--import', resolve('scripts/typescript.mjs'), '--import', new URL('register.mjs', HERE).href];
}

/** Runs the tests. @returns the titles of those that passed, and the failed ones with messages */
function runTests(name, flags, redisUrl) {
  const outcome = join(temporary, 'outcome.json');
  rmSync(outcome, { force: true });
  const env = {
    ...process.env,
    CONFORMANCE_CHECKOUT: pathToFileURL(`${checkout}/`).href,
    CONFORMANCE_OUTCOME: outcome,
    ...(redisUrl !== undefined && { CONFORMANCE_REDIS_URL: redisUrl }),
  };
  const parameters = [...NODE, '--no-warnings', ...flags, new URL('run-tests.mjs', HERE).pathname];
  const { stdout, stderr } = spawnSync('npx', parameters, { env, encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (!existsSync(outcome)) stop(`The tests did not run:\n${`${stdout}${stderr}`.slice(-4000)}`);
  const { passed, failed } = JSON.parse(readFileSync(outcome, 'utf8'));
  console.log(`${name}: ${passed.length} of ${passed.length + failed.length} tests pass`);
  return { passed: new Set(passed), failed };
}

/** Prints the tests that fail only with our adapter. @returns true if each of them is expected to fail */
function compare(name, { failed }) {
  const ours = failed.filter(({ title }) => theirs.passed.has(title));
  for (const { title, message } of ours) {
    const reason = EXPECTED[title];
    console.log(`  ${reason === undefined ? 'FAILS' : 'fails as expected'}: ${title}\n    ${reason ?? message}`);
  }
  const unexpected = ours.filter(({ title }) => EXPECTED[title] === undefined);
  console.log(`  ${name}: ${unexpected.length} unexpected failures`);
  return unexpected.length === 0;
}

/** Starts a Redis of its own at a free port, in memory only. */
async function startRedis() {
  if (!existsSync(REDIS_SERVER)) stop(`${REDIS_SERVER} is missing. Install: sudo apt-get install redis-server`);
  const port = await freePort();
  const parameters = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', temporary];
  const child = spawn(REDIS_SERVER, parameters, { stdio: ['ignore', 'pipe', 'inherit'] });
  process.once('exit', () => child.kill('SIGKILL'));
  for await (const chunk of child.stdout) if (`${chunk}`.includes('Ready to accept connections')) break;
  return { url: `redis://127.0.0.1:${port}`, stop: () => child.kill() };
}

function freePort() {
  return new Promise((found) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });
}
