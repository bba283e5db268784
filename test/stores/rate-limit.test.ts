import { expect } from 'chai';
import { LocalRateLimit } from '../../src/stores/rate-limit.ts';
import { until } from '../support/until.ts';

describe('what one process counts for itself', () => {
  it('is refused from one too many on, with the time until the window ends', () => {
    const limit = new LocalRateLimit({ times: 2, within: 60 });
    expect([limit.take('alice'), limit.take('alice')]).to.deep.equal([undefined, undefined]);
    expect(limit.take('alice')).to.be.within(59_000, 60_000);
    expect(limit.take('bob')).to.equal(undefined);
  });

  it('may be asked about without being counted', () => {
    const limit = new LocalRateLimit({ times: 1, within: 60 });
    expect([limit.ask('alice'), limit.ask('alice'), limit.take('alice')]).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ]);
    expect(limit.ask('alice')).to.be.within(59_000, 60_000);
  });

  it('begins anew when its window has ended, however often somebody came meanwhile', async () => {
    const limit = new LocalRateLimit({ times: 1, within: 0.05 });
    limit.take('alice');
    expect(limit.take('alice')).to.be.within(0, 50);
    await until(() => limit.take('alice') === undefined);
    expect(limit.take('alice')).to.be.within(0, 50);
  });
});
