import { mock } from 'node:test';
import { expect } from 'chai';
import { LocalRateLimit } from '../../src/stores/rate-limit.ts';

describe('the rate limit of one process', () => {
  /** In milliseconds. */
  let now = 0;

  beforeEach(() => {
    now = 1_000_000;
    mock.method(performance, 'now', () => now);
  });

  afterEach(() => mock.restoreAll());

  it('refuses every request over the limit, with the time until the window ends', () => {
    const limit = new LocalRateLimit({ times: 2, within: 60 });
    expect([limit.take('alice'), limit.take('alice')]).to.deep.equal([undefined, undefined]);
    now += 500;
    expect(limit.take('alice')).to.equal(59_500);
    expect(limit.take('bob')).to.equal(undefined);
  });

  it('can be checked without counting a request', () => {
    const limit = new LocalRateLimit({ times: 1, within: 60 });
    expect([limit.ask('alice'), limit.ask('alice'), limit.take('alice')]).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ]);
    now += 500;
    expect(limit.ask('alice')).to.equal(59_500);
  });

  it('starts again when its window has ended, even if requests were refused in the window', () => {
    const limit = new LocalRateLimit({ times: 1, within: 60 });
    limit.take('alice');
    now += 59_999;
    expect(limit.take('alice')).to.equal(1);
    now += 1;
    expect(limit.take('alice')).to.equal(undefined);
    expect(limit.take('alice')).to.equal(60_000);
  });
});
