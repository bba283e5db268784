/**
 * Bundles the programs that tests start as separate processes. Each bundle is one file with everything that the program
 * imports. Node loads that file in a third of the time that it needs for a thousand modules.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

/** The folder of the bundles. Below it, a bundle has the path of its program: `examples/start.js`. */
export const BUNDLES = 'node_modules/.cache/programs';

const PROGRAMS = ['test/support/node-program.ts', 'examples/start.ts', 'examples/phone.ts', 'examples/terminal.ts'];

/** A plugin that keeps the original URL of each module, so that a module still finds the files beside its source. */
const keepUrls = {
  name: 'keep-urls',
  transform: {
    filter: { code: 'import.meta.url' },
    handler: (code, file) => code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(file).href)),
  },
};

export async function bundlePrograms() {
  for (const program of PROGRAMS) {
    // Dependencies of Koa call eval, and Rolldown would warn about it.
    const bundle = await rolldown({
      input: program,
      platform: 'node',
      plugins: [keepUrls],
      // Leave the bundler out, because it has parts in machine code. The example loads it when it builds its app.
      external: ['rolldown'],
      checks: { eval: false },
    });
    await bundle.write({ file: join(BUNDLES, program.replace(/\.ts$/, '.js')), format: 'esm', codeSplitting: false });
    await bundle.close();
  }
}
