import type { QrLoginOptions } from '../../src/index.ts';
import type { FixtureOptions } from '../fixtures/provider.ts';
import { type Setting, Stage } from './stage.ts';

/** A browser on a busy machine may take its time: more than tests have that drive none. */
const LONGEST = 60_000;

/** Sets a stage for each test of this suite, and fails the tests whose pages had errors. */
export function useStage(
  qrLogin: Partial<QrLoginOptions> = {},
  more: Partial<FixtureOptions> = {},
  setting?: Setting,
): () => Stage {
  let stage: Stage | undefined;

  beforeEach(async function () {
    this.timeout(LONGEST);
    this.currentTest?.timeout(LONGEST);
    stage = await Stage.set(qrLogin, more, setting);
  });

  afterEach(async function () {
    this.timeout(LONGEST);
    const problems = stage?.problems ?? [];
    await stage?.strike();
    stage = undefined;
    if (problems.length > 0) throw new Error(`pages complained:\n${problems.join('\n')}`);
  });

  return () => {
    if (stage === undefined) throw new Error('there is a stage in tests only');
    return stage;
  };
}
