/** Compiles TypeScript files, and keeps what came of each in `node_modules/.cache/typescript`, by the content of the file. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('../node_modules/ts-blank-space/package.json', import.meta.url)));
const CACHE = new URL(`../node_modules/.cache/typescript/${version}/`, import.meta.url);

/** @returns what a `load` hook answers for this module, or undefined if the module is not TypeScript */
export function compileUrl(url) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return undefined;
  return { format: 'module', shortCircuit: true, source: compileFile(fileURLToPath(url)) };
}

/** @returns the file as JavaScript */
export function compileFile(file) {
  const source = readFileSync(file, 'utf8');
  const cached = new URL(`${createHash('sha256').update(source).digest('hex')}.js`, CACHE);
  try {
    return readFileSync(cached, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  // Loaded where it is needed only: it brings the whole TypeScript compiler, which takes a second.
  const { default: blankTypes } = require('ts-blank-space');
  const compiled = blankTypes(source, ({ pos }) => {
    throw new SyntaxError(`${file}, character ${pos}: this TypeScript cannot run without being translated`);
  });
  // Written under another name first: a process that starts at the same moment must not read half of it.
  const draft = new URL(`${cached.href}.${process.pid}`);
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(draft, compiled);
  renameSync(draft, cached);
  return compiled;
}
