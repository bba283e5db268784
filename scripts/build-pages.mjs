/**
 * Compiles the templates of `views/pages` into `dist/pages.js`, so that a running server needs no `eval`. Also writes
 * the style sheets to `dist` without comments and indentation, which browsers need not load.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Eta } from 'eta/core';

const VIEWS = new URL('../views/pages/', import.meta.url);
const ASSETS = new URL('../views/assets/', import.meta.url);
const DIST = new URL('../dist/', import.meta.url);

const TYPES = `import type { TemplateFunction } from 'eta/core';
/** All templates of \`views/pages\`, by name. */
export declare const pages: Readonly<Record<string, TemplateFunction>>;
`;

const eta = new Eta({ rmWhitespace: true });
const pages = readdirSync(VIEWS).map((file) => {
  const body = eta.compileToString(readFileSync(new URL(file, VIEWS), 'utf8'), { async: false });
  return `${JSON.stringify(basename(file, '.eta'))}: function (it, options) {${body}}`;
});
mkdirSync(DIST, { recursive: true });
writeFileSync(new URL('pages.js', DIST), `export const pages = {\n${pages.join(',\n')}\n};\n`);
writeFileSync(new URL('pages.d.ts', DIST), TYPES);

for (const file of readdirSync(ASSETS).filter((name) => name.endsWith('.css'))) {
  const style = readFileSync(new URL(file, ASSETS), 'utf8').replace(/\/\*.*?\*\//gs, '');
  writeFileSync(new URL(file, DIST), style.replace(/^\s+/gm, ''));
}
