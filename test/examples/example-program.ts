/** The programs of the examples. */
import { compiledProgram } from '../support/compiled-program.ts';
import { isFullSuite } from '../support/full-suite.ts';

/** The folder that they are started in. */
export const ROOT: URL = new URL('../../', import.meta.url);

/**
 * Their environment. What they run of the code is run by other tests as well, and to write down which lines that are takes longer than to
 * start.
 */
export const ENVIRONMENT: NodeJS.ProcessEnv = { ...process.env, NODE_V8_COVERAGE: undefined };

/**
 * Returns the command that runs a program: `examples/start.ts`. The full suite runs it by the TypeScript loader, as `npm start` does. The
 * short one compiles it before: on Node 20, it starts a second sooner.
 */
export function commandOf(program: string): string[] {
  if (isFullSuite) return [process.execPath, '--import', './scripts/typescript.mjs', program];
  return [process.execPath, compiledProgram(program)];
}
