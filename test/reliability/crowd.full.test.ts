/**
 * Runs the crowd test for each fault, for a short time. The figures in `docs/reliability.md` come from longer runs that
 * were started by hand on an idle machine: see `crowd-run.ts`.
 */
import { expect } from 'chai';
import { runCrowd } from './crowd.ts';
import { CROWD_FAULTS } from './crowd-faults.ts';

/** Long enough that a working store does not look broken on a busy machine, and shorter than the longest fault. */
const STORE_PATIENCE_MS = 2_500;
const SIZE = { rate: 2, seconds: 15, storePatience: STORE_PATIENCE_MS };

describe('a crowd that signs in', function () {
  this.timeout(300_000);

  for (const fault of CROWD_FAULTS) {
    it(`loses no approved sign-in while this fault recurs: ${fault.what}`, async () => {
      const { signIns, approved, lost, wrong, double, unexplained } = await runCrowd(fault, SIZE);
      expect({ lost, wrong, double, unexplained }).to.deep.equal({ lost: [], wrong: [], double: [], unexplained: [] });
      expect(signIns).to.equal(SIZE.rate * SIZE.seconds);
      expect(approved).to.be.above(0);
    });
  }
});
