import { mock } from 'node:test';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import type { AdapterFactory } from 'oidc-provider';
import { keyvAdapter } from '../../src/stores/keyv-adapter.ts';
import { OF_A_GRANT, OF_NO_GRANT } from './adapter-payloads.ts';
import { keyvOver, RemoteBackend } from './keyv-stores.ts';

const backends: Record<string, () => Keyv> = {
  'a Keyv in memory': () => new Keyv(),
  'a Keyv behind a network': () => keyvOver(new RemoteBackend()),
};

for (const [name, makeKeyv] of Object.entries(backends)) {
  describe(`revoking a grant in ${name}`, () => {
    let adapter: AdapterFactory;

    beforeEach(() => {
      adapter = keyvAdapter(makeKeyv());
    });

    afterEach(() => mock.timers.reset());

    function write(id: string, grantId = 'grant', expiresIn?: number): Promise<unknown> {
      return adapter('AccessToken').upsert(id, { jti: id, grantId }, expiresIn);
    }

    async function left(ids: readonly string[]): Promise<string[]> {
      const found = await Promise.all(ids.map((id) => adapter('AccessToken').find(id)));
      return ids.filter((_, index) => found[index] !== undefined);
    }

    function revoke(grantId = 'grant'): Promise<unknown> {
      return adapter('AccessToken').revokeByGrantId(grantId);
    }

    it('takes the records of every model that belongs to grants, whichever model is asked', async () => {
      for (const [model, payload] of Object.entries(OF_A_GRANT)) await adapter(model).upsert('id', payload, 60);
      await adapter('RefreshToken').revokeByGrantId('grant');
      for (const model of Object.keys(OF_A_GRANT)) expect(await adapter(model).find('id'), model).to.equal(undefined);
      expect(await adapter('DeviceCode').findByUserCode('BCDFGHJK')).to.equal(undefined);
    });

    it('leaves the records of the other models', async () => {
      for (const [model, payload] of Object.entries(OF_NO_GRANT)) {
        await adapter(model).upsert('id', { ...payload, grantId: 'grant' }, 60);
      }
      await write('token');
      await revoke();
      for (const model of Object.keys(OF_NO_GRANT)) expect(await adapter(model).find('id'), model).to.be.an('object');
    });

    it('leaves other grants, and what belongs to none', async () => {
      await Promise.all([write('mine'), write('other', 'another grant')]);
      await adapter('AccessToken').upsert('none', { jti: 'none' }, 60);
      await revoke();
      expect(await left(['mine', 'other', 'none'])).to.deep.equal(['other', 'none']);
    });

    it('that is unknown does nothing', async () => {
      await write('mine');
      await revoke('unknown');
      expect(await left(['mine'])).to.deep.equal(['mine']);
    });

    it('takes what was written to it a hundred times at once', async () => {
      const ids = Array.from({ length: 100 }, (_, number) => `${number}`);
      await Promise.all(ids.map((id) => write(id)));
      await revoke();
      expect(await left(ids)).to.deep.equal([]);
    });

    it('takes what is just being written', async () => {
      const ids = Array.from({ length: 50 }, (_, number) => `${number}`);
      await Promise.all([...ids.map((id) => write(id, 'grant', 60)), revoke()]);
      expect(await left(ids)).to.deep.equal([]);
    });

    it('takes what is just being consumed', async () => {
      await write('mine');
      await Promise.all([revoke(), adapter('AccessToken').consume('mine')]);
      expect(await left(['mine'])).to.deep.equal([]);
      await write('mine');
      await Promise.all([adapter('AccessToken').consume('mine'), revoke()]);
      expect(await left(['mine'])).to.deep.equal([]);
    });

    it('again takes what came after the first time', async () => {
      await write('early');
      await Promise.all([revoke(), write('late')]);
      await revoke();
      expect(await left(['early', 'late'])).to.deep.equal([]);
    });

    it('takes the one that lives longest, when the others are gone by themselves', async () => {
      mock.timers.enable({ apis: ['Date'], now: Date.now() });
      await write('long', 'grant', 3600);
      await write('short', 'grant', 10);
      mock.timers.tick(1_800_000);
      await write('another short', 'grant', 10);
      mock.timers.tick(60_000);
      expect(await left(['long', 'short', 'another short'])).to.deep.equal(['long']);
      await revoke();
      expect(await left(['long'])).to.deep.equal([]);
    });

    it('takes one that never ends by itself, however late', async () => {
      mock.timers.enable({ apis: ['Date'], now: Date.now() });
      await write('endless');
      await write('short', 'grant', 10);
      mock.timers.tick(365 * 24 * 3_600_000);
      await revoke();
      expect(await left(['endless'])).to.deep.equal([]);
    });

    it('takes a record whose life was made longer', async () => {
      mock.timers.enable({ apis: ['Date'], now: Date.now() });
      await write('mine', 'grant', 10);
      await write('mine', 'grant', 3600);
      mock.timers.tick(60_000);
      expect(await left(['mine'])).to.deep.equal(['mine']);
      await revoke();
      expect(await left(['mine'])).to.deep.equal([]);
    });
  });
}
