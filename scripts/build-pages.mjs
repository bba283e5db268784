/**
 * Compiles the templates of `views/pages` into `dist/pages.js`, so that a running server needs no `eval`. It also
 * writes the style sheets to `dist`, without the parts that browsers need not load, and the first part of `style.css`,
 * which the QR page has in its HTML.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Eta } from 'eta/core';

const VIEWS = new URL('../views/pages/', import.meta.url);
const ASSETS = new URL('../views/assets/', import.meta.url);
const END_OF_QR_STYLE = '/* The rest of this file';
const DIST = new URL('../dist/', import.meta.url);

const TYPES = `import type { TemplateFunction } from 'eta/core';
/** All templates of \`views/pages\`, by name. */
export declare const pages: Readonly<Record<string, TemplateFunction>>;
`;

/**
 * Matches line ends beside tags where browsers ignore them. They are dropped, because most of a page is sent without
 * compression.
 */
const BLOCKS = 'body|div|dl|fieldset|form|h1|h2|head|header|html|li|main|meta|nav|ol|p|section|title|ul';
const DROPPED = new RegExp(
  `(?<=</?(?:${BLOCKS})(?: [^<>%]*)?>)\\s*\\n\\s*|(?<!%>)\\s*\\n\\s*(?=</?(?:${BLOCKS})[ >])`,
  'g',
);

const eta = new Eta({ rmWhitespace: true });
const pages = readdirSync(VIEWS).map((file) => {
  const view = readFileSync(new URL(file, VIEWS), 'utf8').replace(DROPPED, '');
  const body = eta.compileToString(view, { async: false });
  return `${JSON.stringify(basename(file, '.eta'))}: function (it, options) {${body}}`;
});
mkdirSync(DIST, { recursive: true });
writeFileSync(new URL('pages.js', DIST), `export const pages = {\n${pages.join(',\n')}\n};\n`);
writeFileSync(new URL('pages.d.ts', DIST), TYPES);

/**
 * Removes what browsers need not load. It relies on the formatting of the source, in which a line that ends with a
 * semicolon is a declaration.
 */
const minify = (css) =>
  css
    .replace(/\/\*.*?\*\//gs, '')
    .replace(/^\s*([\w-]+): (.*;)$/gm, '$1:$2')
    .replace(/^\s+|\s+$/gm, '')
    .replace(/ \{$/gm, '{')
    .replace(/,\s/g, ',')
    .replace(/ > /g, '>')
    .replace(/\(([\w-]+): /g, '($1:')
    .replace(/(?<![\w.])0(?=\.\d)/g, '')
    .replace(/;?\n(?=\})/g, '')
    .replace(/([{};])\n/g, '$1');
const source = (name) => readFileSync(new URL(name, ASSETS), 'utf8');
for (const name of readdirSync(ASSETS).filter((file) => file.endsWith('.css')))
  writeFileSync(new URL(name, DIST), minify(source(name)));
const style = source('style.css');
if (!style.includes(END_OF_QR_STYLE)) throw new Error(`style.css has no line "${END_OF_QR_STYLE} …"`);
writeFileSync(new URL('qr-style.css', DIST), minify(style.slice(0, style.indexOf(END_OF_QR_STYLE))));
