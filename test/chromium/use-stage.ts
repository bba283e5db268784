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
    await stage?.strike();
    stage = undefined;
    if (problems.length === 0) return;
    const complaint = `pages complained:\n${problems.join('\n')}`;
    const failure = this.currentTest?.err;
    if (failure === undefined) throw new Error(complaint);
    // The failure is the cause. What the pages said may explain it.
    failure.message += `\n${complaint}`;
  });

  return () => {
    if (stage === undefined) throw new Error('there is a stage in tests only');
    return stage;
  };
}
