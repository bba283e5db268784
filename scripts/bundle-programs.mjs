/**
 * Bundles the programs that tests start as processes of their own: each with everything that it imports in one file. Node loads that file in
 * a third of the time that it takes for a thousand modules.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

/** The folder that the bundles are in, by the names of their programs: `examples/start.js`. */
export const BUNDLES = 'node_modules/.cache/programs';

const PROGRAMS = ['test/support/node-program.ts', 'examples/start.ts', 'examples/phone.ts'];

/** Lets each module find the files beside itself, although it runs as a part of the bundle. */
const keepUrls = {
  name: 'keep-urls',
  transform: {
    filter: { code: 'import.meta.url' },
    handler: (code, file) => code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(file).href)),
  },
};

export async function bundlePrograms() {
  for (const program of PROGRAMS) {
    // Packages below Koa call eval, which Rolldown would warn of.
    const bundle = await rolldown({ input: program, platform: 'node', plugins: [keepUrls], checks: { eval: false } });
    await bundle.write({ file: join(BUNDLES, program.replace(/\.ts$/, '.js')), format: 'esm', codeSplitting: false });
    await bundle.close();
  }
}
