import { mock } from 'node:test';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import type { Adapter, AdapterFactory } from 'oidc-provider';
import { keyvAdapter } from '../../../src/stores/adapter/keyv-adapter.ts';
import { nextTurn } from '../memory/keyv-stores.ts';
import { OF_A_GRANT, OF_EACH_MODEL, OF_NO_GRANT } from './payloads.ts';

const session = OF_NO_GRANT.Session ?? {};

describe('a record of oidc-provider in a Keyv', () => {
  let records: Map<string, string>;
  let adapter: AdapterFactory;
  let sessions: Adapter;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.now() });
    records = new Map();
    adapter = keyvAdapter(new Keyv({ store: records }));
    sessions = adapter('Session');
  });

  afterEach(() => mock.timers.reset());

  /** Lets seconds pass, with all timers. */
  async function pass(seconds: number): Promise<void> {
    mock.timers.tick(seconds * 1000 + 1);
    await nextTurn();
  }

  for (const [model, payload] of Object.entries(OF_EACH_MODEL)) {
    it(`${model}: expires after the given number of seconds`, async () => {
      await adapter(model).upsert('id', payload, 60);
      await pass(59);
      expect(await adapter(model).find('id')).to.deep.equal(payload);
      await pass(1);
      expect(await adapter(model).find('id')).to.equal(undefined);
    });
  }

  it('never expires if no time was given', async () => {
    await adapter('Client').upsert('id', { client_id: 'rp' });
    await adapter('RefreshToken').upsert('id', { jti: 'rt', grantId: 'grant' });
    await pass(7 * 24 * 3600);
    expect(await adapter('Client').find('id')).to.be.an('object');
    expect(await adapter('RefreshToken').find('id')).to.be.an('object');
  });

  it('starts its lifetime again when it is written again', async () => {
    await sessions.upsert('id', session, 60);
    await pass(50);
    await sessions.upsert('id', session, 60);
    await pass(50);
    expect(await sessions.findByUid('uid of a session')).to.deep.equal(session);
    await pass(10);
    expect(await sessions.findByUid('uid of a session')).to.equal(undefined);
  });

  it('expires at the same time after it was consumed', async () => {
    const codes = adapter('AuthorizationCode');
    await codes.upsert('id', { jti: 'ac', grantId: 'grant' }, 60);
    await pass(50);
    await codes.consume('id');
    await pass(9);
    expect((await codes.find('id'))?.consumed).to.be.a('number');
    await pass(1);
    expect(await codes.find('id')).to.equal(undefined);
  });

  it('never expires after it was consumed, if it had no time before', async () => {
    const tokens = adapter('RefreshToken');
    await tokens.upsert('id', { jti: 'rt' });
    await tokens.consume('id');
    await pass(7 * 24 * 3600);
    expect((await tokens.find('id'))?.consumed).to.be.a('number');
  });

  it('cannot be brought back by consuming it after it has expired', async () => {
    await sessions.upsert('id', session, 1);
    await pass(1);
    await sessions.consume('id');
    expect(await sessions.find('id')).to.equal(undefined);
  });

  it('cannot be found by its uid or user code after it has expired', async () => {
    await sessions.upsert('id', session, 60);
    await adapter('DeviceCode').upsert('id', OF_A_GRANT.DeviceCode ?? {}, 60);
    await pass(60);
    expect(await sessions.findByUid('uid of a session')).to.equal(undefined);
    expect(await adapter('DeviceCode').findByUserCode('BCDFGHJK')).to.equal(undefined);
  });

  it('is known as a used proof for eleven minutes, even if it is saved with a shorter time or not at all', async () => {
    const proofs = adapter('ReplayDetection');
    for (const id of ['saved', 'not saved']) expect(await proofs.find(id)).to.equal(undefined);
    await proofs.upsert('saved', { jti: 'saved' }, 300);
    await pass(659);
    for (const id of ['saved', 'not saved']) expect(await proofs.find(id)).to.be.an('object');
    await pass(1);
    for (const id of ['saved', 'not saved']) expect(await proofs.find(id)).to.equal(undefined);
  });

  it('is known as a used proof for the time with which it was saved, if that is longer', async () => {
    const proofs = adapter('ReplayDetection');
    expect(await proofs.find('id')).to.equal(undefined);
    await proofs.upsert('id', { jti: 'id' }, 3600);
    await pass(3599);
    expect(await proofs.find('id')).to.be.an('object');
    await pass(1);
    expect(await proofs.find('id')).to.equal(undefined);
  });

  it('leaves nothing in memory after it has expired, even if it is never read', async () => {
    for (let number = 0; number < 200; number++) {
      for (const [model, payload] of Object.entries(OF_EACH_MODEL)) {
        await adapter(model).upsert(`${number}`, payload.grantId ? { ...payload, grantId: `${number}` } : payload, 60);
      }
    }
    expect(records.size).to.be.greaterThan(3000);
    await pass(90);
    expect([...records.keys()]).to.deep.equal([]);
  });

  it('leaves nothing in memory if it was written with 0 seconds', async () => {
    // oidc-provider saves an interaction or a session for its remaining seconds, which may be 0.
    await adapter('Interaction').upsert('id', { jti: 'id', uid: 'uid' }, 0);
    await adapter('AccessToken').upsert('id', { jti: 'id', grantId: 'grant' }, 0);
    await pass(90);
    expect([...records.keys()]).to.deep.equal([]);
  });

  it('leaves nothing in memory if it was written with -1 seconds', async () => {
    await adapter('Interaction').upsert('id', { jti: 'id', uid: 'uid' }, -1);
    await adapter('AccessToken').upsert('id', { jti: 'id', grantId: 'grant' }, -1);
    await pass(90);
    expect([...records.keys()]).to.deep.equal([]);
  });
});
