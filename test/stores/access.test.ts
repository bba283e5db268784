import { stat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { Access, PATIENCE, TooLate, unavailable, within } from '../../src/stores/access.ts';
import { QrLoginError } from '../../src/ticket/errors.ts';
import { refused } from '../ticket/builders.ts';

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
    const began = performance.now();
    expect(await within(never()).catch((error: unknown) => error)).to.be.instanceOf(TooLate);
    expect(performance.now() - began).to.be.within(PATIENCE - 5, PATIENCE + 400);
  });

  it('is not too late with an answer that came while this process was held up', async () => {
    // One question to the system, whose answer arrives meanwhile and lies there.
    const answer = within(stat('/'));
    block(PATIENCE + 200);
    expect((await answer).isDirectory()).to.equal(true);
  });

  it('is too late where there was none when this process went on', async () => {
    const answer = within(never());
    block(PATIENCE + 200);
    expect(await answer.catch((error: unknown) => error)).to.be.instanceOf(TooLate);
  });

  it('may answer or fail later, and nobody hears of it', async () => {
    const late = pause(60).then(() => Promise.reject(new Error('late')));
    expect(await within(late, 20).catch((error: unknown) => error)).to.be.instanceOf(TooLate);
    await late.catch(() => undefined);
  });
});

describe('every access to a store', () => {
  const access = new Access('memory');

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
