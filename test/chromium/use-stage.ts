import type { QrLoginOptions } from '../../src/index.ts';
import type { FixtureOptions } from '../fixtures/provider.ts';
import { type Setting, Stage } from './stage.ts';

/** Longer than a page waits for one thing, so that a test that hangs ends with what it waited for. */
const LONGEST_MS = 120_000;

/** Sets a stage for each test of this suite, and fails the tests whose pages had errors. */
export function useStage(
  qrLogin: Partial<QrLoginOptions> = {},
  more: Partial<FixtureOptions> = {},
  setting?: Setting,
): () => Stage {
  let stage: Stage | undefined;

  beforeEach(async function () {
    this.timeout(LONGEST_MS);
    this.currentTest?.timeout(LONGEST_MS);
    stage = await Stage.set(qrLogin, more, setting);
  });

  afterEach(async function () {
    this.timeout(LONGEST_MS);
    const problems = stage?.problems ?? [];
    const failure = this.currentTest?.err;
    // The failure is the cause. How the pages are, and what they complained of, may explain it.
    if (failure !== undefined) failure.stack += `\n${await stage?.describePages()}`;
    await stage?.strike();
    stage = undefined;
    if (problems.length === 0) return;
    const complaint = `pages complained:\n${problems.join('\n')}`;
    if (failure === undefined) throw new Error(complaint);
    failure.stack += `\n${complaint}`;
  });

  return () => {
    if (stage === undefined) throw new Error('there is a stage in tests only');
    return stage;
  };
}
