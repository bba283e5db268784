/**
 * Compiles TypeScript files, and caches each result in `node_modules/.cache/typescript`, keyed by the content of the
 * file.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('../node_modules/ts-blank-space/package.json', import.meta.url)));
const CACHE = new URL(`../node_modules/.cache/typescript/${version}/`, import.meta.url);

/** Returns the result that a `load` hook gives for this module, or undefined if the module is not TypeScript. */
export function compileUrl(url) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return undefined;
  return { format: 'module', shortCircuit: true, source: compileFile(fileURLToPath(url)) };
}

/** Returns the file as JavaScript. */
export function compileFile(file) {
  const source = readFileSync(file, 'utf8');
  const cached = new URL(`${createHash('sha256').update(source).digest('hex')}.js`, CACHE);
  try {
    return readFileSync(cached, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  // Loaded only on a cache miss: it imports the whole TypeScript compiler, which takes a second.
  const { default: blankTypes } = require('ts-blank-space');
  const compiled = blankTypes(source, ({ pos }) => {
    throw new SyntaxError(`${file}, character ${pos}: this TypeScript cannot run without being translated`);
  });
  // Written under another name first: a process that starts at the same moment must not read a half-written file.
  const draft = new URL(`${cached.href}.${process.pid}`);
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(draft, compiled);
  renameSync(draft, cached);
  return compiled;
}
