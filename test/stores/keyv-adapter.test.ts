import { expect } from 'chai';
import { Keyv } from 'keyv';
import type { Adapter, AdapterFactory } from 'oidc-provider';
import { keyvAdapter } from '../../src/stores/keyv-adapter.ts';
import { OF_A_GRANT, OF_EACH_MODEL, OF_NO_GRANT } from './adapter-payloads.ts';
import { keyvOver, RemoteBackend } from './keyv-stores.ts';

const session = OF_NO_GRANT.Session ?? {};
const deviceCode = OF_A_GRANT.DeviceCode ?? {};

const backends: Record<string, () => Keyv> = {
  'a Keyv in memory': () => new Keyv(),
  'a Keyv behind a network': () => keyvOver(new RemoteBackend()),
};

for (const [name, makeKeyv] of Object.entries(backends)) {
  describe(`oidc-provider's records in ${name}`, () => {
    let adapter: AdapterFactory;
    let sessions: Adapter;
    let deviceCodes: Adapter;

    beforeEach(() => {
      adapter = keyvAdapter(makeKeyv());
      sessions = adapter('Session');
      deviceCodes = adapter('DeviceCode');
    });

    for (const [model, payload] of Object.entries(OF_EACH_MODEL)) {
      it(`${model}: is found as it was written, and gone once it is destroyed`, async () => {
        await adapter(model).upsert('id', payload, 60);
        expect(await adapter(model).find('id')).to.deep.equal(payload);
        await adapter(model).destroy('id');
        expect(await adapter(model).find('id')).to.equal(undefined);
      });

      it(`${model}: is consumed now, and otherwise stays as it was`, async () => {
        await adapter(model).upsert('id', payload, 60);
        const before = Math.floor(Date.now() / 1000);
        await adapter(model).consume('id');
        const { consumed, ...rest } = (await adapter(model).find('id')) ?? {};
        expect(rest).to.deep.equal(payload);
        expect(consumed).to.be.within(before, Math.floor(Date.now() / 1000));
      });
    }

    it('models do not see each other', async () => {
      const models = Object.entries(OF_EACH_MODEL);
      await Promise.all(models.map(([model, payload]) => adapter(model).upsert('id', payload, 60)));
      for (const [model, payload] of models) expect(await adapter(model).find('id'), model).to.deep.equal(payload);
      await sessions.destroy('id');
      expect(await adapter('Grant').find('id')).to.deep.equal(OF_EACH_MODEL.Grant);
    });

    it('what was never written is not found, by whatever it is looked for', async () => {
      expect(await sessions.find('id')).to.equal(undefined);
      expect(await sessions.findByUid('uid')).to.equal(undefined);
      expect(await deviceCodes.findByUserCode('BCDFGHJK')).to.equal(undefined);
    });

    it('destroying or consuming what is not there does nothing', async () => {
      await sessions.destroy('id');
      await sessions.consume('id');
      expect(await sessions.find('id')).to.equal(undefined);
    });

    it('writing again replaces the whole record', async () => {
      await sessions.upsert('id', session, 60);
      await sessions.upsert('id', { jti: 'session', uid: 'uid of a session' }, 60);
      expect(await sessions.find('id')).to.deep.equal({ jti: 'session', uid: 'uid of a session' });
    });

    it('who changes what was found changes nothing in the store', async () => {
      await sessions.upsert('id', session, 60);
      const found = (await sessions.find('id')) ?? {};
      found.accountId = 'mallory';
      found.amr?.push('otp');
      expect(await sessions.find('id')).to.deep.equal(session);
    });

    it('who changes what was written changes nothing in the store', async () => {
      const payload = structuredClone(session);
      await sessions.upsert('id', payload, 60);
      payload.amr?.push('otp');
      expect(await sessions.find('id')).to.deep.equal(session);
    });

    it('more than a thousand records are kept', async () => {
      const ids = Array.from({ length: 3000 }, (_, number) => `${number}`);
      await Promise.all(ids.map((id) => sessions.upsert(id, { uid: `uid ${id}`, accountId: id }, 60)));
      for (const id of ids) expect((await sessions.findByUid(`uid ${id}`))?.accountId).to.equal(id);
    });

    it('a session is found by its uid', async () => {
      await sessions.upsert('id', session, 60);
      expect(await sessions.findByUid('uid of a session')).to.deep.equal(session);
      expect(await sessions.findByUid('id')).to.equal(undefined);
    });

    it('a session that got a new id is found by its uid under that one', async () => {
      await sessions.upsert('id', session, 60);
      await sessions.destroy('id');
      expect(await sessions.findByUid('uid of a session')).to.equal(undefined);
      await sessions.upsert('new id', { ...session, jti: 'new id' }, 60);
      expect((await sessions.findByUid('uid of a session'))?.jti).to.equal('new id');
    });

    it("no session is found by an interaction's uid", async () => {
      await adapter('Interaction').upsert('id', OF_NO_GRANT.Interaction ?? {}, 60);
      expect(await sessions.findByUid('uid of an interaction')).to.equal(undefined);
      await sessions.upsert('id', session, 60);
      await adapter('Interaction').upsert('other id', { jti: 'other id', uid: 'uid of a session' }, 60);
      expect(await sessions.findByUid('uid of a session')).to.deep.equal(session);
    });

    it('a device code is found by its user code, with what was written last', async () => {
      await deviceCodes.upsert('id', { ...deviceCode, inFlight: true }, 60);
      expect((await deviceCodes.findByUserCode('BCDFGHJK'))?.inFlight).to.equal(true);
      await deviceCodes.upsert('id', deviceCode, 60);
      expect(await deviceCodes.findByUserCode('BCDFGHJK')).to.deep.equal(deviceCode);
    });

    it('a device code that was destroyed is not found by its user code', async () => {
      await deviceCodes.upsert('id', deviceCode, 60);
      await deviceCodes.destroy('id');
      expect(await deviceCodes.findByUserCode('BCDFGHJK')).to.equal(undefined);
    });

    it('what is consumed and destroyed at once is gone', async () => {
      for (const acts of [
        ['consume', 'destroy'],
        ['destroy', 'consume'],
      ] as const) {
        await deviceCodes.upsert('id', deviceCode, 60);
        await Promise.all(acts.map((act) => deviceCodes[act]('id')));
        expect(await deviceCodes.find('id'), acts.join()).to.equal(undefined);
      }
    });
  });
}
