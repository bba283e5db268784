/**
 * Installs hosts and runtimes for the long suite, which are too large to be development dependencies. The versions are
 * pinned here and in `examples/hosts/nest/package.json`.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../support/packed.ts';

/** An installation is kept there, and reused while its versions are the same. */
const CACHE = join(ROOT, 'node_modules/.cache/hosts');

/**
 * Installs packages from the registry into a folder of their own.
 * @param packages exact versions, by name
 * @returns the folder
 * @throws Error with npm's output if the registry is out of reach
 */
export function install(name: string, packages: Readonly<Record<string, string>>): string {
  const folder = join(CACHE, name);
  mkdirSync(folder, { recursive: true });
  const file = { private: true, type: 'module', dependencies: packages };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(file));
  // None of these packages needs its install scripts.
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  execFileSync('npm', ['install', ...flags], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  return folder;
}

/** Imports a module, or a CommonJS package, as a file of that folder would. */
export async function importFrom(folder: string, specifier: string): Promise<Record<string, unknown>> {
  const file = createRequire(join(folder, 'package.json')).resolve(specifier);
  return import(pathToFileURL(file).href);
}
