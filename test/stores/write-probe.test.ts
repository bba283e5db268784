import { mock } from 'node:test';
import { expect } from 'chai';
import { WriteProbe } from '../../src/stores/write-probe.ts';

describe('a write probe', () => {
  let writes: number;
  let problem: Error | undefined;
  let now: number;
  let probe: WriteProbe;

  beforeEach(() => {
    writes = 0;
    problem = undefined;
    now = 0;
    mock.method(performance, 'now', () => now);
    probe = new WriteProbe(async () => {
      writes += 1;
      if (problem !== undefined) throw problem;
    });
  });

  afterEach(() => mock.restoreAll());

  it('writes once for all callers within a second', async () => {
    await Promise.all([probe.assertWritable(), probe.assertWritable()]);
    now = 999;
    await probe.assertWritable();
    expect(writes).to.equal(1);
    now = 1_000;
    await probe.assertWritable();
    expect(writes).to.equal(2);
  });

  it('fails with the error of the write, and writes again at the next call', async () => {
    problem = new Error('READONLY');
    for (const count of [1, 2]) {
      expect(await probe.assertWritable().catch((error: unknown) => error)).to.equal(problem);
      expect(writes).to.equal(count);
    }
    problem = undefined;
    await probe.assertWritable();
    expect(writes).to.equal(3);
  });
});
