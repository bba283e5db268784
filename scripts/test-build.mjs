/** Builds the package and the programs that the tests run, unless nothing has changed since the last build. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundlePrograms } from './bundle-programs.mjs';
import { compileFile } from './typescript-cache.mjs';

const STAMP = 'node_modules/.cache/test-build';
const BUNDLES_STAMP = 'node_modules/.cache/test-bundles';
const SOURCES = ['src', 'views', 'scripts', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
/** Folders that every test process loads. They are compiled once, before the processes start side by side. */
const TYPESCRIPT = ['src', 'test', 'examples'];

/** Builds everything. @returns false if a build fails; the build has then printed its errors */
export async function buildForTests() {
  const isBuilt = isFresh(STAMP, SOURCES) && existsSync('dist/client/browser.js.map');
  // The build runs in processes of its own, and this one compiles meanwhile.
  const building = isBuilt ? undefined : build();
  for (const folder of TYPESCRIPT) {
    for (const file of filesIn(folder)) if (file.endsWith('.ts') && !file.endsWith('.d.ts')) compileFile(file);
  }
  if (building !== undefined) {
    if (!(await building)) return false;
    stamp(STAMP);
  }
  if (!isFresh(BUNDLES_STAMP, [...SOURCES, ...TYPESCRIPT])) {
    await bundlePrograms();
    stamp(BUNDLES_STAMP);
  }
  return true;
}

/**
 * Builds with source maps for the pages' scripts, which a plain build leaves out: coverage reports the lines of
 * src/client.
 */
async function build() {
  return (
    (await run('npm', 'run', '-s', 'build')) &&
    (await run('node', 'scripts/build-client.mjs', '--source-maps')) &&
    (await run('node', 'scripts/build-files.mjs'))
  );
}

function isFresh(file, sources) {
  if (!existsSync(file)) return false;
  const builtAt = statSync(file).mtimeMs;
  return sources.every((source) => filesIn(source).every((path) => statSync(path).mtimeMs < builtAt));
}

function stamp(file) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '');
}

function filesIn(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => filesIn(join(path, name)));
}

async function run(program, ...parameters) {
  const [status] = await once(spawn(program, parameters, { stdio: 'inherit' }), 'exit');
  return status === 0;
}
