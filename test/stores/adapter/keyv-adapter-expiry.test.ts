import { mock } from 'node:test';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import type { Adapter, AdapterFactory } from 'oidc-provider';
import { keyvAdapter } from '../../../src/stores/adapter/keyv-adapter.ts';
import { nextTurn } from '../memory/keyv-stores.ts';
import { OF_A_GRANT, OF_EACH_MODEL, OF_NO_GRANT } from './payloads.ts';

const session = OF_NO_GRANT.Session ?? {};

describe("the time that oidc-provider's records live in a Keyv", () => {
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

  /** Seconds pass, and with them whatever happens by itself. */
  async function pass(seconds: number): Promise<void> {
    mock.timers.tick(seconds * 1000 + 1);
    await nextTurn();
  }

  for (const [model, payload] of Object.entries(OF_EACH_MODEL)) {
    it(`${model}: as many seconds as it was given`, async () => {
      await adapter(model).upsert('id', payload, 60);
      await pass(59);
      expect(await adapter(model).find('id')).to.deep.equal(payload);
      await pass(1);
      expect(await adapter(model).find('id')).to.equal(undefined);
    });
  }

  it('for ever, where none were given', async () => {
    await adapter('Client').upsert('id', { client_id: 'rp' });
    await adapter('RefreshToken').upsert('id', { jti: 'rt', grantId: 'grant' });
    await pass(7 * 24 * 3600);
    expect(await adapter('Client').find('id')).to.be.an('object');
    expect(await adapter('RefreshToken').find('id')).to.be.an('object');
  });

  it('starts anew when it is written again', async () => {
    await sessions.upsert('id', session, 60);
    await pass(50);
    await sessions.upsert('id', session, 60);
    await pass(50);
    expect(await sessions.findByUid('uid of a session')).to.deep.equal(session);
    await pass(10);
    expect(await sessions.findByUid('uid of a session')).to.equal(undefined);
  });

  it('does not change when it is consumed', async () => {
    const codes = adapter('AuthorizationCode');
    await codes.upsert('id', { jti: 'ac', grantId: 'grant' }, 60);
    await pass(50);
    await codes.consume('id');
    await pass(9);
    expect((await codes.find('id'))?.consumed).to.be.a('number');
    await pass(1);
    expect(await codes.find('id')).to.equal(undefined);
  });

  it('has no end either after it is consumed, where it had none', async () => {
    const tokens = adapter('RefreshToken');
    await tokens.upsert('id', { jti: 'rt' });
    await tokens.consume('id');
    await pass(7 * 24 * 3600);
    expect((await tokens.find('id'))?.consumed).to.be.a('number');
  });

  it('cannot be brought back once it is over', async () => {
    await sessions.upsert('id', session, 1);
    await pass(1);
    await sessions.consume('id');
    expect(await sessions.find('id')).to.equal(undefined);
  });

  it('is the time of the ways to it as well: by uid, by user code', async () => {
    await sessions.upsert('id', session, 60);
    await adapter('DeviceCode').upsert('id', OF_A_GRANT.DeviceCode ?? {}, 60);
    await pass(60);
    expect(await sessions.findByUid('uid of a session')).to.equal(undefined);
    expect(await adapter('DeviceCode').findByUserCode('BCDFGHJK')).to.equal(undefined);
  });

  it('leaves nothing in memory, although nobody reads it any more', async () => {
    for (let number = 0; number < 200; number++) {
      for (const [model, payload] of Object.entries(OF_EACH_MODEL)) {
        await adapter(model).upsert(`${number}`, payload.grantId ? { ...payload, grantId: `${number}` } : payload, 60);
      }
    }
    expect(records.size).to.be.greaterThan(3000);
    await pass(90);
    expect([...records.keys()]).to.deep.equal([]);
  });

  it('leaves nothing in memory where a record was written with no time left', async () => {
    // oidc-provider saves an interaction or a session for the seconds that it has left, which may be none.
    await adapter('Interaction').upsert('id', { jti: 'id', uid: 'uid' }, 0);
    await adapter('AccessToken').upsert('id', { jti: 'id', grantId: 'grant' }, 0);
    await pass(90);
    expect([...records.keys()]).to.deep.equal([]);
  });

  it('leaves nothing in memory where a record was written with less than no time left', async () => {
    await adapter('Interaction').upsert('id', { jti: 'id', uid: 'uid' }, -1);
    await adapter('AccessToken').upsert('id', { jti: 'id', grantId: 'grant' }, -1);
    await pass(90);
    expect([...records.keys()]).to.deep.equal([]);
  });
});
