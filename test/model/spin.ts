/** Checks the model of docs/model with Spin: https://spinroot.com. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../support/packed.ts';

export const MODEL: string = join(ROOT, 'docs/model');

/** The maximum depth of a search. All runs stay far below it. Spin reports a search that reaches it as incomplete. */
const MAX_DEPTH = 100_000;
const OUTPUT_BYTES = 16 * 1024 * 1024;

export interface CheckResult {
  /** The number of states that were found. It is complete unless a property was violated. */
  readonly states: number;
  /** The number of the violated property, or undefined if all checked properties hold. */
  readonly violated: number | undefined;
}

export interface CheckOptions {
  /** True for a run that is long enough to be worth a slower compilation. */
  readonly optimized?: boolean;
}

/**
 * Searches all states of the model with these switches (`-D…`).
 * @throws Error if Spin or the compiler is missing, finds an error of the model, or does not finish
 */
export async function checkModel(
  switches: readonly string[],
  { optimized = false }: CheckOptions = {},
): Promise<CheckResult> {
  const cwd = await mkdtemp(join(tmpdir(), 'qr-login-model-'));
  try {
    await run('spin', ['-a', ...switches, join(MODEL, 'sign-in.pml')], cwd);
    // COLLAPSE stores all states exactly, but each part of a state only once.
    await run('gcc', ['-w', optimized ? '-O2' : '-O0', '-DSAFETY', '-DCOLLAPSE', '-o', 'pan', 'pan.c'], cwd);
    return readReport(await run('./pan', [`-m${MAX_DEPTH}`, '-n'], cwd));
  } finally {
    await rm(cwd, { recursive: true });
  }
}

async function run(program: string, parameters: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await promisify(execFile)(program, parameters, { cwd, maxBuffer: OUTPUT_BYTES });
  return stdout;
}

function readReport(report: string): CheckResult {
  const errors = Number(/errors: (\d+)/.exec(report)?.[1] ?? Number.NaN);
  const states = Number(/(\d+) states, stored/.exec(report)?.[1] ?? Number.NaN);
  // The macro `must` puts the number of the property first.
  const violated = /assertion violated \(\((\d)[!=]=/.exec(report)?.[1];
  const isComplete = errors === 0 && !report.includes('Search not completed');
  if (Number.isNaN(states) || (!isComplete && violated === undefined))
    throw new Error(`Spin did not finish:\n${report}`);
  return { states, violated: violated === undefined ? undefined : Number(violated) };
}
