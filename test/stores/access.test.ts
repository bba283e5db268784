import { mock } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { expect } from 'chai';
import { Access, PATIENCE, setStorePatience, TooLate, unavailable, within } from '../../src/stores/access.ts';
import { QrLoginError } from '../../src/ticket/errors.ts';
import { refused } from '../ticket/builders.ts';
import { nextTurn } from './memory/keyv-stores.ts';

/** In milliseconds. */
const SHORT = 20;

/** This process is held up, as by the garbage collector or somebody's long computation. */
function block(milliseconds: number): void {
  for (const until = performance.now() + milliseconds; performance.now() < until; );
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

describe('a store that is waited for', () => {
  it('gives its answer', async () => {
    expect(await within(Promise.resolve('answer'))).to.equal('answer');
  });

  it('fails with its own reason', async () => {
    const reason = new Error('out of reach');
    expect(await within(Promise.reject(reason)).catch((error: unknown) => error)).to.equal(reason);
  });

  it('is too late after a second', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const outcomes: unknown[] = [];
    within(never()).catch((error: unknown) => outcomes.push(error));
    try {
      mock.timers.tick(PATIENCE - 1);
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

  it('is not too late with an answer that came while this process was held up', async () => {
    const { port1, port2 } = new MessageChannel();
    const answer = within(new Promise((resolve) => port1.once('message', resolve)), SHORT);
    // It has arrived, and lies there until the process reads it.
    port2.postMessage('answer');
    block(2 * SHORT);
    expect(await answer).to.equal('answer');
    port1.close();
  });

  it('is too late where there was none when this process went on', async () => {
    const answer = within(never(), SHORT);
    block(2 * SHORT);
    expect(await answer.catch((error: unknown) => error)).to.be.instanceOf(TooLate);
  });

  it('may answer or fail later, and nobody hears of it', async () => {
    let fail: (error: Error) => void = () => undefined;
    const late = new Promise<never>((_, reject) => {
      fail = reject;
    });
    expect(await within(late, SHORT).catch((error: unknown) => error)).to.be.instanceOf(TooLate);
    fail(new Error('late'));
    // An unhandled rejection would fail the test here.
    await nextTurn();
  });
});

describe('every access to a store', () => {
  const access = new Access('memory');

  afterEach(() => setStorePatience());

  it('gives back what the store says', async () => {
    expect(await access.make('find', async () => 'ticket')).to.equal('ticket');
  });

  it('is refused as unavailable where the store fails, at once or later, and says why', async () => {
    const cause = new Error('out of reach');
    const failures = [
      () => Promise.reject(cause),
      () => {
        throw cause;
      },
    ];
    for (const failure of failures) {
      const refusal = await refused(access.make('find', failure));
      expect([refusal.code, refusal.cause]).to.deep.equal(['store_unavailable', cause]);
    }
  });

  it('is refused as unavailable where there is no answer in time', async () => {
    setStorePatience(SHORT);
    const refusal = await refused(access.make('find', never));
    expect(refusal.code).to.equal('store_unavailable');
    expect(refusal.cause).to.be.instanceOf(TooLate);
  });

  it('tells people nothing of the reason', () => {
    const error = unavailable(new Error('redis://user:secret@host'));
    expect(error).to.be.instanceOf(QrLoginError);
    expect(error.message).to.not.include('secret');
  });
});
