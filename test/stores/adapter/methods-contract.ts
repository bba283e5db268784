/** The contract of the adapter's methods, for each model. One node writes, and the other one reads. */
import { expect } from 'chai';
import type { Adapter } from 'oidc-provider';
import type { AdapterBackend, TwoNodes } from './backends.ts';
import { type ModelChoice, OF_A_GRANT, OF_EACH_MODEL, OF_NO_GRANT } from './payloads.ts';

const session = OF_NO_GRANT.Session ?? {};
const deviceCode = OF_A_GRANT.DeviceCode ?? {};

export function testMethods(backend: () => AdapterBackend, choose: ModelChoice): void {
  describe('when records are written and read,', () => {
    let nodes: TwoNodes;
    /** The adapters of the writing node and of the reading node. */
    let sessions: readonly [Adapter, Adapter];
    let deviceCodes: readonly [Adapter, Adapter];

    beforeEach(() => {
      nodes = backend().open();
      sessions = both('Session');
      deviceCodes = both('DeviceCode');
    });

    function both(model: string): readonly [Adapter, Adapter] {
      return [nodes.one(model), nodes.other(model)];
    }

    for (const model of choose(Object.keys(OF_EACH_MODEL))) {
      const payload = OF_EACH_MODEL[model] ?? {};

      it(`finds a ${model} as it was written, and not after it was destroyed`, async () => {
        const [writer, reader] = both(model);
        await writer.upsert('id', payload, 60);
        expect(await reader.find('id')).to.deep.equal(payload);
        await reader.destroy('id');
        expect(await writer.find('id')).to.equal(undefined);
      });

      it(`replaces the whole ${model} when it is written again`, async () => {
        const [writer, reader] = both(model);
        await writer.upsert('id', { ...payload, nonce: 'of the first time' }, 60);
        await reader.upsert('id', payload, 60);
        expect(await writer.find('id')).to.deep.equal(payload);
      });

      it(`adds the current time to a ${model} that is consumed, and changes nothing else`, async () => {
        const [writer, reader] = both(model);
        await writer.upsert('id', payload, 60);
        const before = Math.floor(Date.now() / 1000);
        await reader.consume('id');
        const { consumed, ...rest } = (await writer.find('id')) ?? {};
        expect(rest).to.deep.equal(payload);
        expect(consumed).to.be.within(before, Math.floor(Date.now() / 1000));
      });

      it(`destroys a ${model} that was consumed`, async () => {
        const [writer, reader] = both(model);
        await writer.upsert('id', payload, 60);
        await writer.consume('id');
        await reader.destroy('id');
        expect(await writer.find('id')).to.equal(undefined);
      });
    }

    const used = new Date('2026-01-02T03:04:05Z');
    for (const [what, consumed] of Object.entries({ true: true, 'a Date': used, 'a text': used.toJSON() })) {
      it(`treats a record as consumed if "consumed" was written as ${what}`, async () => {
        const [writer, reader] = both('RefreshToken');
        await writer.upsert('id', { ...OF_EACH_MODEL.RefreshToken, consumed }, 60);
        const found = (await reader.find('id'))?.consumed;
        if (consumed === true) expect(found).to.be.above(used.getTime() / 1000);
        else expect(found).to.equal(used.getTime() / 1000);
      });
    }

    it('treats a record as not consumed if "consumed" was written as false or null', async () => {
      const [writer, reader] = both('DeviceCode');
      for (const consumed of [false, null]) {
        await writer.upsert('id', { ...deviceCode, consumed }, 60);
        expect(await reader.find('id')).to.deep.equal(deviceCode);
      }
      await reader.consume('id');
      expect((await writer.find('id'))?.consumed).to.be.a('number');
    });

    it('refuses a record whose time of use or lifetime is not a number, and keeps the existing record', async () => {
      const [writer, reader] = both('DeviceCode');
      await writer.upsert('id', deviceCode, 60);
      for (const wrong of [
        writer.upsert('id', { ...deviceCode, consumed: new Date(Number.NaN) }, 60),
        writer.upsert('id', { ...deviceCode, consumed: 'yes' }, 60),
        writer.upsert('id', { ...deviceCode, consumed: Number.NaN }, 60),
        writer.upsert('id', { ...deviceCode, nonce: 'new' }, Number.NaN),
      ]) {
        const error = await wrong.then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        expect(error)
          .to.be.instanceOf(TypeError)
          .with.property('message')
          .that.matches(/^keyvAdapter: /);
      }
      expect(await reader.find('id')).to.deep.equal(deviceCode);
    });

    it('keeps a record with an infinite lifetime', async () => {
      const [writer, reader] = both('DeviceCode');
      await writer.upsert('id', deviceCode, Number.POSITIVE_INFINITY);
      expect(await reader.find('id')).to.deep.equal(deviceCode);
      expect(await reader.findByUserCode(`${deviceCode.userCode}`)).to.deep.equal(deviceCode);
    });

    it('does not find a record whose lifetime was over when it was written', async () => {
      const [writer, reader] = both('DeviceCode');
      for (const seconds of [0, -1, Number.NEGATIVE_INFINITY]) {
        await writer.upsert('id', deviceCode, 60);
        await writer.upsert('id', deviceCode, seconds);
        expect(await reader.find('id'), `${seconds}`).to.equal(undefined);
        expect(await reader.findByUserCode(`${deviceCode.userCode}`), `${seconds}`).to.equal(undefined);
      }
    });

    it('keeps the records of different models apart', async () => {
      const models = Object.entries(OF_EACH_MODEL);
      await Promise.all(models.map(([model, payload]) => nodes.one(model).upsert('id', payload, 60)));
      for (const [model, payload] of models) {
        expect(await nodes.other(model).find('id'), model).to.deep.equal(payload);
      }
      await nodes.one('Session').destroy('id');
      expect(await nodes.other('Grant').find('id')).to.deep.equal(OF_EACH_MODEL.Grant);
    });

    it('does not find a record that was never written, by id, uid or user code', async () => {
      expect(await sessions[0].find('id')).to.equal(undefined);
      expect(await sessions[0].findByUid('uid')).to.equal(undefined);
      expect(await deviceCodes[0].findByUserCode('BCDFGHJK')).to.equal(undefined);
    });

    it('does nothing if a record to destroy does not exist', async () => {
      for (const model of Object.keys(OF_EACH_MODEL)) {
        await nodes.one(model).destroy('id');
        expect(await nodes.other(model).find('id'), model).to.equal(undefined);
      }
    });

    it('accepts any characters in records and ids', async () => {
      const id = 'id: {a} "quoted" \\ 私 🔑 %00 \n *';
      const payload = { ...session, uid: `uid ${id}`, accountId: '爱丽丝 🐇 "\\\n\0' };
      await sessions[0].upsert(id, payload, 60);
      expect(await sessions[1].find(id)).to.deep.equal(payload);
      expect(await sessions[1].findByUid(`uid ${id}`)).to.deep.equal(payload);
      await sessions[1].destroy(id);
      expect(await sessions[0].findByUid(`uid ${id}`)).to.equal(undefined);
    });

    it('does not change a stored record when the found copy is changed', async () => {
      await sessions[0].upsert('id', session, 60);
      const found = (await sessions[1].find('id')) ?? {};
      found.accountId = 'mallory';
      found.amr?.push('otp');
      expect(await sessions[1].find('id')).to.deep.equal(session);
    });

    it('does not change a stored record when the written object is changed later', async () => {
      const payload = structuredClone(session);
      const written = sessions[0].upsert('id', payload, 60);
      payload.amr?.push('otp');
      await written;
      payload.amr?.push('hwk');
      expect((await sessions[1].find('id'))?.amr).not.to.include('hwk');
    });

    it('keeps more than a thousand records', async () => {
      // Write in groups, so that even a slow machine answers each write within the store's time-out.
      const groups = Array.from({ length: 11 }, (_, group) => Array.from({ length: 100 }, (_, at) => `${group}-${at}`));
      for (const ids of groups)
        await Promise.all(ids.map((id) => sessions[0].upsert(id, { uid: `uid ${id}`, accountId: id }, 60)));
      for (const ids of groups) {
        const found = await Promise.all(ids.map((id) => sessions[1].findByUid(`uid ${id}`)));
        expect(found.map((payload) => payload?.accountId)).to.deep.equal(ids);
      }
    });

    it('finds a session by its uid', async () => {
      await sessions[0].upsert('id', session, 60);
      expect(await sessions[1].findByUid('uid of a session')).to.deep.equal(session);
      expect(await sessions[1].findByUid('id')).to.equal(undefined);
    });

    it('finds a session that got a new id by its uid', async () => {
      await sessions[0].upsert('id', session, 60);
      await sessions[0].destroy('id');
      expect(await sessions[1].findByUid('uid of a session')).to.equal(undefined);
      await sessions[0].upsert('new id', { ...session, jti: 'new id' }, 60);
      expect((await sessions[1].findByUid('uid of a session'))?.jti).to.equal('new id');
    });

    it('finds a session by its uid if its old id is destroyed after the new one was written', async () => {
      await sessions[0].upsert('id', session, 60);
      await sessions[1].upsert('new id', { ...session, jti: 'new id' }, 60);
      await sessions[0].destroy('id');
      expect((await sessions[1].findByUid('uid of a session'))?.jti).to.equal('new id');
    });

    it("finds no session by an interaction's uid", async () => {
      await nodes.one('Interaction').upsert('id', OF_NO_GRANT.Interaction ?? {}, 60);
      expect(await sessions[1].findByUid('uid of an interaction')).to.equal(undefined);
      await sessions[0].upsert('id', session, 60);
      await nodes.one('Interaction').upsert('other id', { jti: 'other id', uid: 'uid of a session' }, 60);
      await nodes.one('Interaction').destroy('other id');
      expect(await sessions[1].findByUid('uid of a session')).to.deep.equal(session);
    });

    it('finds a device code by its user code, as it was last written', async () => {
      await deviceCodes[0].upsert('id', { ...deviceCode, inFlight: true }, 60);
      expect((await deviceCodes[1].findByUserCode('BCDFGHJK'))?.inFlight).to.equal(true);
      await deviceCodes[1].upsert('id', deviceCode, 60);
      expect(await deviceCodes[0].findByUserCode('BCDFGHJK')).to.deep.equal(deviceCode);
    });

    it('finds a consumed device code by its user code', async () => {
      await deviceCodes[0].upsert('id', deviceCode, 60);
      await deviceCodes[0].consume('id');
      expect((await deviceCodes[1].findByUserCode('BCDFGHJK'))?.consumed).to.be.a('number');
    });

    it('does not find a destroyed device code by its user code', async () => {
      await deviceCodes[0].upsert('id', deviceCode, 60);
      await deviceCodes[1].destroy('id');
      expect(await deviceCodes[0].findByUserCode('BCDFGHJK')).to.equal(undefined);
    });

    it('finds the latest device by a user code that two devices have got, even after the first was destroyed', async () => {
      await deviceCodes[0].upsert('first', { ...deviceCode, jti: 'first' }, 60);
      await deviceCodes[1].upsert('second', { ...deviceCode, jti: 'second' }, 60);
      await deviceCodes[0].destroy('first');
      expect((await deviceCodes[0].findByUserCode('BCDFGHJK'))?.jti).to.equal('second');
    });
  });
}
