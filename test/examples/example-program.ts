/** Gives tests the commands and the environment to run the programs of the examples. */
import { bundledProgram } from '../support/bundled-program.ts';
import { isFullSuite } from '../support/full-suite.ts';

/** The working directory of the programs. */
export const ROOT: URL = new URL('../../', import.meta.url);

/**
 * The environment of the programs. It turns coverage off, because other tests run the same code, and recording it takes
 * longer than starting a program.
 */
export const ENVIRONMENT: NodeJS.ProcessEnv = { ...process.env, NODE_V8_COVERAGE: undefined };

/** Returns the command that runs a program by the TypeScript loader, as `npm start` does. */
export function commandOf(program: string): string[] {
  return [process.execPath, '--import', './scripts/typescript.mjs', program];
}

/**
 * Returns the command that runs a program. In the short suite it runs the program's bundle, which starts two seconds
 * sooner on Node 20.
 */
export function quickCommandOf(program: string): string[] {
  return isFullSuite ? commandOf(program) : [process.execPath, bundledProgram(program)];
}
