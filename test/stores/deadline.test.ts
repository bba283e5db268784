import { mock } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { expect } from 'chai';
import { PATIENCE_MS, TooLate, withDeadline } from '../../src/stores/deadline.ts';
import { nextTurn } from './memory/keyv-stores.ts';

const SHORT_MS = 20;

/** Blocks this process, as the garbage collector or a long computation may do. */
function block(milliseconds: number): void {
  for (const until = performance.now() + milliseconds; performance.now() < until; );
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

describe('the wait for a store', () => {
  it('returns the answer of the store', async () => {
    expect(await withDeadline(Promise.resolve('answer'))).to.equal('answer');
  });

  it('fails with the error of the store', async () => {
    const reason = new Error('out of reach');
    expect(await withDeadline(Promise.reject(reason)).catch((error: unknown) => error)).to.equal(reason);
  });

  it('ends with TooLate after a second', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const outcomes: unknown[] = [];
    withDeadline(never()).catch((error: unknown) => outcomes.push(error));
    try {
      mock.timers.tick(PATIENCE_MS - 1);
      await nextTurn();
      expect(outcomes).to.deep.equal([]);
      mock.timers.tick(1);
      await nextTurn();
      expect(outcomes).to.have.length(1);
      expect(outcomes[0]).to.be.instanceOf(TooLate);
    } finally {
      mock.timers.reset();
    }
  });

  it('returns an answer that arrived while this process was blocked', async () => {
    const { port1, port2 } = new MessageChannel();
    const answer = withDeadline(new Promise((resolve) => port1.once('message', resolve)), SHORT_MS);
    // The message has arrived, but the process reads it only after it was blocked.
    port2.postMessage('answer');
    block(2 * SHORT_MS);
    expect(await answer).to.equal('answer');
    port1.close();
  });

  it('ends with TooLate if no answer arrived while this process was blocked', async () => {
    const answer = withDeadline(never(), SHORT_MS);
    block(2 * SHORT_MS);
    expect(await answer.catch((error: unknown) => error)).to.be.instanceOf(TooLate);
  });

  it('ignores a failure that comes after TooLate', async () => {
    let fail: (error: Error) => void = () => undefined;
    const late = new Promise<never>((_, reject) => {
      fail = reject;
    });
    expect(await withDeadline(late, SHORT_MS).catch((error: unknown) => error)).to.be.instanceOf(TooLate);
    fail(new Error('late'));
    // An unhandled rejection would fail the test here.
    await nextTurn();
  });
});
