import { expect } from 'chai';
import { Access, unavailable } from '../../src/stores/access.ts';
import { setStorePatience, TooLate } from '../../src/stores/deadline.ts';
import { QrLoginError } from '../../src/ticket/errors.ts';
import { awaitRefusal } from '../ticket/builders.ts';

const SHORT_MS = 20;

describe('every access to a store', () => {
  const access = new Access('memory');

  afterEach(() => setStorePatience());

  it('returns the answer of the store', async () => {
    expect(await access.make('find', async () => 'ticket')).to.equal('ticket');
  });

  it('fails with store_unavailable and the cause, if the store throws synchronously or rejects later', async () => {
    const cause = new Error('out of reach');
    const failures = [
      () => Promise.reject(cause),
      () => {
        throw cause;
      },
    ];
    for (const failure of failures) {
      const refusal = await awaitRefusal(access.make('find', failure));
      expect([refusal.code, refusal.cause]).to.deep.equal(['store_unavailable', cause]);
    }
  });

  it('fails with store_unavailable if there is no answer in time', async () => {
    setStorePatience(SHORT_MS);
    const refusal = await awaitRefusal(access.make('find', () => new Promise(() => undefined)));
    expect(refusal.code).to.equal('store_unavailable');
    expect(refusal.cause).to.be.instanceOf(TooLate);
  });

  it('does not show the cause to users', () => {
    const error = unavailable(new Error('redis://user:secret@host'));
    expect(error).to.be.instanceOf(QrLoginError);
    expect(error.message).to.not.include('secret');
  });
});
