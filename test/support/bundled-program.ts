/** Finds the bundles of programs that tests start as separate processes. `npm test` bundles them first. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Bundles {
  readonly BUNDLES: string;
}

// Imported dynamically, because the scripts are JavaScript without type declarations.
const { BUNDLES }: Bundles = await import(new URL('../../scripts/bundle-programs.mjs', import.meta.url).href);

/**
 * Returns the path of a program's bundle.
 * @param program the path of its source, from the root of the project
 * @throws Error if the program is not bundled
 */
export function bundledProgram(program: string): string {
  const file = fileURLToPath(new URL(`../../${BUNDLES}/${program.replace(/\.ts$/, '.js')}`, import.meta.url));
  if (!existsSync(file)) throw new Error(`${program} is not bundled: add it to scripts/bundle-programs.mjs`);
  return file;
}
