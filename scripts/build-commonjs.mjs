/**
 * Writes a CommonJS entry beside each entry of the package, which returns the same module: Node has `require()` for ES
 * modules since 20.19. TypeScript needs it for types in a CommonJS project (`module: node16`). To be run after `tsc`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

const ROOT = new URL('../', import.meta.url);
const { exports } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'));

for (const { import: entry } of Object.values(exports)) {
  if (entry === undefined) continue;
  const module = new URL(entry.default, ROOT);
  const name = basename(entry.default);
  const values = Object.entries(await import(module.href));
  const es = `import('./${name}', { with: { 'resolution-mode': 'import' } })`;
  const declarations = values.flatMap(([value, content]) => [
    `export declare const ${value}: typeof ${es}.${value};`,
    ...(`${content}`.startsWith('class') ? [`export type ${value} = ${es}.${value};`] : []),
  ]);
  const types = [`export type * from './${name}' with { 'resolution-mode': 'import' };`, ...declarations];
  writeFileSync(new URL(module.href.replace(/\.js$/, '.cjs')), `module.exports = require('./${name}');\n`);
  writeFileSync(new URL(module.href.replace(/\.js$/, '.d.cts')), `${types.join('\n')}\n`);
}
