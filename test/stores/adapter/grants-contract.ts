/** The contract of `revokeByGrantId`: it deletes every record that belongs to the grant. */
import { expect } from 'chai';
import type { AdapterBackend, TwoNodes } from './backends.ts';
import { type ModelChoice, OF_A_GRANT, OF_NO_GRANT } from './payloads.ts';

export function testGrants(backend: () => AdapterBackend, choose: ModelChoice): void {
  describe('when a grant is revoked,', () => {
    let nodes: TwoNodes;

    beforeEach(() => {
      nodes = backend().open();
    });

    function write(id: string, grantId = 'grant', node = nodes.one): Promise<unknown> {
      return node('AccessToken').upsert(id, { jti: id, grantId }, 60);
    }

    async function left(ids: readonly string[]): Promise<string[]> {
      const found = await Promise.all(ids.map((id) => nodes.one('AccessToken').find(id)));
      return ids.filter((_, index) => found[index] !== undefined);
    }

    function revoke(grantId = 'grant'): Promise<unknown> {
      return nodes.other('AccessToken').revokeByGrantId(grantId);
    }

    for (const asked of choose(Object.keys(OF_A_GRANT))) {
      it(`deletes the grant's records of every model, if the adapter of ${asked} revokes the grant`, async () => {
        for (const [model, payload] of Object.entries(OF_A_GRANT)) await nodes.one(model).upsert('id', payload, 60);
        await nodes.other(asked).revokeByGrantId('grant');
        for (const model of Object.keys(OF_A_GRANT)) {
          expect(await nodes.one(model).find('id'), model).to.equal(undefined);
        }
        expect(await nodes.one('DeviceCode').findByUserCode('BCDFGHJK')).to.equal(undefined);
      });
    }

    it('keeps a user code that a device with another grant uses now', async () => {
      const payload = OF_A_GRANT.DeviceCode ?? {};
      await nodes.one('DeviceCode').upsert('first', payload, 60);
      await nodes.one('DeviceCode').upsert('second', { ...payload, jti: 'second', grantId: 'another grant' }, 60);
      await revoke();
      expect((await nodes.one('DeviceCode').findByUserCode('BCDFGHJK'))?.jti).to.equal('second');
    });

    it('keeps the records of models that do not belong to grants', async () => {
      for (const [model, payload] of Object.entries(OF_NO_GRANT)) {
        await nodes.one(model).upsert('id', { ...payload, grantId: 'grant' }, 60);
      }
      await write('token');
      await revoke();
      for (const model of Object.keys(OF_NO_GRANT)) {
        expect(await nodes.one(model).find('id'), model).to.be.an('object');
      }
    });

    it('keeps other grants and records without a grant', async () => {
      await Promise.all([write('mine'), write('other', 'another grant')]);
      await nodes.one('AccessToken').upsert('none', { jti: 'none' }, 60);
      await revoke();
      expect(await left(['mine', 'other', 'none'])).to.deep.equal(['other', 'none']);
    });

    it('does nothing if the grant is unknown', async () => {
      await write('mine');
      await revoke('unknown');
      expect(await left(['mine'])).to.deep.equal(['mine']);
    });

    it('does nothing the second time, except that it deletes records that were written after the first time', async () => {
      await write('early');
      await revoke();
      await revoke();
      await write('late');
      await revoke();
      expect(await left(['early', 'late'])).to.deep.equal([]);
    });

    it('deletes a hundred records that two nodes wrote at the same time', async () => {
      const ids = Array.from({ length: 100 }, (_, number) => `${number}`);
      await Promise.all(ids.map((id, turn) => write(id, 'grant', turn % 2 === 0 ? nodes.one : nodes.other)));
      await revoke();
      expect(await left(ids)).to.deep.equal([]);
    });

    it('deletes a record that is being consumed at the same time', async () => {
      const codes = nodes.one('AuthorizationCode');
      await codes.upsert('code', { jti: 'code', grantId: 'grant' }, 60);
      await Promise.allSettled([revoke(), codes.consume('code')]);
      expect(await codes.find('code')).to.equal(undefined);
      await codes.upsert('code', { jti: 'code', grantId: 'grant' }, 60);
      await Promise.allSettled([codes.consume('code'), revoke()]);
      expect(await codes.find('code')).to.equal(undefined);
    });

    it('deletes a record that is written at the same time, at the latest when the grant is revoked again', async () => {
      await write('early');
      await Promise.all([revoke(), write('late')]);
      expect(await left(['early'])).to.deep.equal([]);
      await revoke();
      expect(await left(['early', 'late'])).to.deep.equal([]);
    });

    it('deletes all records if all models revoke the grant at the same time', async () => {
      // oidc-provider calls all of its models at the same time.
      const ids = Array.from({ length: 100 }, (_, number) => `${number}`);
      await Promise.all(ids.map((id) => write(id)));
      await Promise.all(Object.keys(OF_A_GRANT).map((model) => nodes.other(model).revokeByGrantId('grant')));
      expect(await left(ids)).to.deep.equal([]);
    });
  });
}
