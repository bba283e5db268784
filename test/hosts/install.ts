/**
 * Installs packages that cannot be development dependencies: hosts and runtimes that are too large, and packages that
 * do not officially support our oldest Node version. The versions are pinned where they are used.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../support/packed.ts';

/** The folder of the installations. An installation is reused as long as its versions are the same. */
const CACHE = join(ROOT, 'node_modules/.cache/hosts');

/**
 * Installs packages from the registry into a separate folder.
 * @param packages exact versions, by name
 * @returns the folder
 * @throws Error if npm fails, which prints the reason to stderr
 */
export function install(name: string, packages: Readonly<Record<string, string>>): string {
  const file = JSON.stringify({ private: true, type: 'module', dependencies: packages });
  const folder = join(CACHE, `${name}-${createHash('sha256').update(file).digest('hex').slice(0, 12)}`);
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  const unfinished = mkdtempSync(`${folder}-`);
  writeFileSync(join(unfinished, 'package.json'), file);
  // None of these packages needs its install scripts.
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  execFileSync('npm', ['install', ...flags], { cwd: unfinished, stdio: ['ignore', 'ignore', 'inherit'] });
  // Another process may have installed the packages in the meantime.
  if (existsSync(folder)) rmSync(unfinished, { recursive: true });
  else renameSync(unfinished, folder);
  return folder;
}

/** Imports a module, or a CommonJS package, as a file of that folder would. */
export async function importFrom(folder: string, specifier: string): Promise<Record<string, unknown>> {
  const file = createRequire(join(folder, 'package.json')).resolve(specifier);
  return import(pathToFileURL(file).href);
}
