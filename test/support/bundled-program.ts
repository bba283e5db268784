/** Programs that tests start as processes of their own. `npm test` bundles them first. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Bundles {
  readonly BUNDLES: string;
}

// The scripts are JavaScript without types.
const { BUNDLES }: Bundles = await import(new URL('../../scripts/bundle-programs.mjs', import.meta.url).href);

/**
 * Returns the path of a program's bundle.
 * @param program the path of its source, from the root of the project
 * @throws Error if there is none
 */
export function bundledProgram(program: string): string {
  const file = fileURLToPath(new URL(`../../${BUNDLES}/${program.replace(/\.ts$/, '.js')}`, import.meta.url));
  if (!existsSync(file)) throw new Error(`${program} is not bundled: add it to scripts/bundle-programs.mjs`);
  return file;
}
