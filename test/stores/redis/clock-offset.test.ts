import { mock } from 'node:test';
import { expect } from 'chai';
import { ClockOffset } from '../../../src/stores/redis/clock-offset.ts';

/** In milliseconds since the epoch, by the clock of this process. */
const ASKED_AT = 1_767_225_600_000;
const ROUND_TRIP_MS = 40;

describe('the offset between the clock of a store and that of this process', () => {
  let offset: ClockOffset;

  beforeEach(() => {
    mock.timers.enable({ apis: ['Date'], now: ASKED_AT });
    offset = new ClockOffset();
  });

  afterEach(() => mock.timers.reset());

  /** @param ahead the milliseconds by which the store's clock is ahead in the middle of the round trip */
  async function compare(ahead: number): Promise<void> {
    await offset.compare(async () => {
      mock.timers.tick(ROUND_TRIP_MS);
      return Date.now() - ROUND_TRIP_MS / 2 + ahead;
    });
  }

  it('is zero before the first comparison', () => {
    expect(offset.ahead).to.equal(0);
  });

  for (const ahead of [61_000, -61_000]) {
    it(`is measured from the middle of the round trip: ${ahead} ms`, async () => {
      await compare(ahead);
      expect(offset.ahead).to.equal(ahead);
    });
  }

  it('does not change as long as a comparison agrees with it', async () => {
    await compare(1_000);
    await compare(1_000 + ROUND_TRIP_MS / 2);
    await compare(1_000 - ROUND_TRIP_MS / 2);
    expect(offset.ahead).to.equal(1_000);
  });

  it('changes once a comparison contradicts it', async () => {
    await compare(1_000);
    await compare(1_000 + ROUND_TRIP_MS);
    expect(offset.ahead).to.equal(1_000 + ROUND_TRIP_MS);
  });
});
