/**
 * Lets Node run the project's TypeScript: `node --import ./scripts/typescript.mjs file.ts`. ts-blank-space replaces
 * types with blanks, so that lines, columns and coverage stay exact. The result is cached: only the first process that
 * loads a file pays for compiling it.
 */
import * as nodeModule from 'node:module';
import { compileUrl } from './typescript-cache.mjs';

// Node 20 runs hooks only in a separate thread. Later versions run them in the thread that loads the modules, which is
// faster.
if (nodeModule.registerHooks === undefined) nodeModule.register('./typescript-hooks.mjs', import.meta.url);
else nodeModule.registerHooks({ load: (url, context, nextLoad) => compileUrl(url) ?? nextLoad(url, context) });
