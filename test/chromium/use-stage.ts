import type { QrLoginOptions } from '../../src/index.ts';
import type { FixtureOptions } from '../fixtures/provider.ts';
import { type Setting, Stage } from './stage.ts';

/** This is longer than the longest wait on a page, so that a hanging test reports the wait and not this time-out. */
const TIMEOUT_MS = 120_000;

/** Sets up a stage for each test of this suite. A test fails if its pages had errors. */
export function useStage(
  qrLogin: Partial<QrLoginOptions> = {},
  more: Partial<FixtureOptions> = {},
  setting?: Setting,
): () => Stage {
  let stage: Stage | undefined;

  beforeEach(async function () {
    this.timeout(TIMEOUT_MS);
    this.currentTest?.timeout(TIMEOUT_MS);
    stage = await Stage.set(qrLogin, more, setting);
  });

  afterEach(async function () {
    this.timeout(TIMEOUT_MS);
    const problems = stage?.problems ?? [];
    const failure = this.currentTest?.err;
    // Report the failure first, and then the state and the errors of the pages, which may explain it.
    if (failure !== undefined) failure.stack += `\n${await stage?.describePages()}`;
    await stage?.strike();
    stage = undefined;
    if (problems.length === 0) return;
    const complaint = `errors in pages:\n${problems.join('\n')}`;
    if (failure === undefined) throw new Error(complaint);
    failure.stack += `\n${complaint}`;
  });

  return () => {
    if (stage === undefined) throw new Error('the stage exists only while a test runs');
    return stage;
  };
}
