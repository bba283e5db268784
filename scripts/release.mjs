/**
 * Prepares a release, and publishes it from CI.
 *
 *     node scripts/release.mjs              checks everything, and writes the package and its SBOM to `release/`
 *     node scripts/release.mjs --publish    then publishes exactly that package, with provenance
 *
 * The provenance (https://docs.npmjs.com/generating-provenance-statements) says from which commit CI has built the
 * package, so publishing works only in CI. The SBOM (CycloneDX) lists what an installation of the package brings, with
 * the packages that it needs beside it (peer dependencies).
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const FOLDER = 'release';
const root = resolve(import.meta.dirname, '..');
process.chdir(root);
const { name, version } = JSON.parse(readFileSync('package.json', 'utf8'));

assert(output('git', 'status', '--porcelain') === '', 'Commit your changes first.');
const headings = readFileSync('CHANGELOG.md', 'utf8').match(/^## .*$/gm) ?? [];
assert(
  headings[0]?.startsWith(`## ${version} `) === true,
  `The first heading of CHANGELOG.md must be "## ${version} (<date>)", but it is "${headings[0]}".`,
);
run('npm', 'audit', '--audit-level=high');
run('npm', 'run', '-s', 'check');

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER);
run('npm', 'pack', `--pack-destination=${FOLDER}`);
const packed = resolve(FOLDER, `${name}-${version}.tgz`);
writeFileSync(join(FOLDER, `${name}-${version}.cdx.json`), `${sbomOf(packed)}\n`);
if (process.argv.includes('--publish')) run('npm', 'publish', packed, '--provenance', '--access=public');
else console.log(`${packed} is ready. "npm run release -- --publish" in CI publishes it.`);

/** Installs the package in an empty folder, and returns the SBOM of what is there then. */
function sbomOf(file) {
  const folder = mkdtempSync(join(tmpdir(), 'sbom-'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: `${name}-installed`, version, private: true }));
  run('npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', `--prefix=${folder}`, file);
  const sbom = output('npm', 'sbom', '--sbom-format=cyclonedx', `--prefix=${folder}`);
  rmSync(folder, { recursive: true });
  return sbom;
}

function run(program, ...parameters) {
  const { status } = spawnSync(program, parameters, { stdio: 'inherit' });
  assert(status === 0, `${[program, ...parameters].join(' ')} failed.`);
}

function output(program, ...parameters) {
  const { status, stdout } = spawnSync(program, parameters, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  assert(status === 0, `${[program, ...parameters].join(' ')} failed.`);
  return stdout.trim();
}

function assert(condition, message) {
  if (condition) return;
  console.error(`release: ${message}`);
  process.exit(1);
}
