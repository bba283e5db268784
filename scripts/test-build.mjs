/** Builds what the tests run, unless nothing has changed since the last time. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compileFile } from './typescript-cache.mjs';

const STAMP = 'node_modules/.cache/test-build';
const SOURCES = ['src', 'views', 'scripts', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
/** What all processes of the tests load. It is compiled once, before they start side by side. */
const TYPESCRIPT = ['src', 'test', 'examples'];

/** @returns false if it cannot be built, after saying why */
export function buildForTests() {
  for (const folder of TYPESCRIPT) {
    for (const file of filesIn(folder)) if (file.endsWith('.ts') && !file.endsWith('.d.ts')) compileFile(file);
  }
  if (isFresh()) return true;
  // With source maps for the pages' scripts: coverage names the lines of src/client.
  const built =
    run('npm', 'run', '-s', 'build') && run('npx', 'tsc', '-p', 'src/client', '--sourceMap', '--inlineSources');
  if (built) {
    mkdirSync(dirname(STAMP), { recursive: true });
    writeFileSync(STAMP, '');
  }
  return built;
}

/** A plain build leaves no source maps behind, so that it is told from this one. */
function isFresh() {
  if (!existsSync(STAMP) || !existsSync('dist/client/browser.js.map')) return false;
  const builtAt = statSync(STAMP).mtimeMs;
  return SOURCES.every((source) => filesIn(source).every((file) => statSync(file).mtimeMs < builtAt));
}

function filesIn(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => filesIn(join(path, name)));
}

function run(program, ...parameters) {
  return spawnSync(program, parameters, { stdio: 'inherit' }).status === 0;
}
