/**
 * Compiles a TypeScript program with all that it imports from this project, so that a child process runs it without a loader. On Node 20
 * the loader works in a thread of its own, and a process that starts with it takes about a second longer.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileFile } from './typescript-cache.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const COMPILED = join(ROOT, 'node_modules/.cache/programs');

/** What the compiled files look for at the root of the package: `#pages`, and what the pages are made of. */
const AT_ROOT = ['package.json', 'dist', 'views'];

/** An import of a file of this project: what stands before its name, its name without `.ts`, and the closing quote. */
const IMPORT = /(\b(?:from|import)\s*\(?\s*['"])(\.{1,2}\/[^'"]+)\.ts(['"])/g;
/** A file or folder below a module's own folder that it reads, or `.`, of which it reads what is no module. */
const READ = /new URL\('(\.|[\w-][\w/-]*(?:\.(?:json|js))?)', import\.meta\.url\)/g;

/**
 * @param file the program
 * @returns the compiled program
 */
export function compileProgram(file) {
  for (const name of AT_ROOT) link(join(ROOT, name), join(COMPILED, name));
  const seen = new Set();
  const compileWithImports = (source) => {
    if (seen.has(source)) return;
    seen.add(source);
    const code = compileFile(source);
    for (const [, , imported] of code.matchAll(IMPORT)) compileWithImports(resolve(dirname(source), `${imported}.ts`));
    for (const [, read] of code.matchAll(READ)) linkRead(dirname(source), read);
    write(compiledName(source), code.replace(IMPORT, '$1$2.js$3'));
  };
  compileWithImports(resolve(file));
  return compiledName(resolve(file));
}

function compiledName(source) {
  return placeOf(source).replace(/\.ts$/, '.js');
}

function placeOf(file) {
  return join(COMPILED, relative(ROOT, file));
}

/** Processes that start side by side may do this at the same moment. */
function write(file, code) {
  if (existsSync(file) && readFileSync(file, 'utf8') === code) return;
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, code);
  renameSync(draft, file);
}

/** @param read what a module in this folder reads */
function linkRead(folder, read) {
  const isRead = (name) => extname(name) !== '' && extname(name) !== '.ts';
  for (const name of read === '.' ? readdirSync(folder).filter(isRead) : [read]) {
    const file = join(folder, name);
    if (existsSync(file)) link(file, placeOf(file));
  }
}

function link(target, place) {
  mkdirSync(dirname(place), { recursive: true });
  try {
    symlinkSync(target, place);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
}
