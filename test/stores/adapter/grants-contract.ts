/** Whoever revokes a grant revokes everything that belongs to it. */
import { expect } from 'chai';
import type { AdapterBackend, TwoNodes } from './backends.ts';
import { type ModelChoice, OF_A_GRANT, OF_NO_GRANT } from './payloads.ts';

export function revokesGrants(backend: () => AdapterBackend, choose: ModelChoice): void {
  describe('revoking a grant', () => {
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
      it(`takes the records of every model that belongs to grants, where ${asked} is asked`, async () => {
        for (const [model, payload] of Object.entries(OF_A_GRANT)) await nodes.one(model).upsert('id', payload, 60);
        await nodes.other(asked).revokeByGrantId('grant');
        for (const model of Object.keys(OF_A_GRANT)) {
          expect(await nodes.one(model).find('id'), model).to.equal(undefined);
        }
        expect(await nodes.one('DeviceCode').findByUserCode('BCDFGHJK')).to.equal(undefined);
      });
    }

    it('leaves a user code to the device that gets it next', async () => {
      const payload = OF_A_GRANT.DeviceCode ?? {};
      await nodes.one('DeviceCode').upsert('first', payload, 60);
      await nodes.one('DeviceCode').upsert('second', { ...payload, jti: 'second', grantId: 'another grant' }, 60);
      await revoke();
      expect((await nodes.one('DeviceCode').findByUserCode('BCDFGHJK'))?.jti).to.equal('second');
    });

    it('leaves the records of the other models', async () => {
      for (const [model, payload] of Object.entries(OF_NO_GRANT)) {
        await nodes.one(model).upsert('id', { ...payload, grantId: 'grant' }, 60);
      }
      await write('token');
      await revoke();
      for (const model of Object.keys(OF_NO_GRANT)) {
        expect(await nodes.one(model).find('id'), model).to.be.an('object');
      }
    });

    it('leaves other grants, and what belongs to none', async () => {
      await Promise.all([write('mine'), write('other', 'another grant')]);
      await nodes.one('AccessToken').upsert('none', { jti: 'none' }, 60);
      await revoke();
      expect(await left(['mine', 'other', 'none'])).to.deep.equal(['other', 'none']);
    });

    it('that is unknown does nothing', async () => {
      await write('mine');
      await revoke('unknown');
      expect(await left(['mine'])).to.deep.equal(['mine']);
    });

    it('that was revoked does nothing, and takes what came after that', async () => {
      await write('early');
      await revoke();
      await revoke();
      await write('late');
      await revoke();
      expect(await left(['early', 'late'])).to.deep.equal([]);
    });

    it('takes what two nodes wrote to it a hundred times at once', async () => {
      const ids = Array.from({ length: 100 }, (_, number) => `${number}`);
      await Promise.all(ids.map((id, turn) => write(id, 'grant', turn % 2 === 0 ? nodes.one : nodes.other)));
      await revoke();
      expect(await left(ids)).to.deep.equal([]);
    });

    it('takes what is just being consumed', async () => {
      const codes = nodes.one('AuthorizationCode');
      await codes.upsert('code', { jti: 'code', grantId: 'grant' }, 60);
      await Promise.allSettled([revoke(), codes.consume('code')]);
      expect(await codes.find('code')).to.equal(undefined);
      await codes.upsert('code', { jti: 'code', grantId: 'grant' }, 60);
      await Promise.allSettled([codes.consume('code'), revoke()]);
      expect(await codes.find('code')).to.equal(undefined);
    });

    it('takes what is just being written, or what is written then is gone by the next time', async () => {
      await write('early');
      await Promise.all([revoke(), write('late')]);
      expect(await left(['early'])).to.deep.equal([]);
      await revoke();
      expect(await left(['early', 'late'])).to.deep.equal([]);
    });

    it('takes what several of its models write, revoke and revoke at the same time', async () => {
      // oidc-provider asks each of its models, all at once.
      const ids = Array.from({ length: 100 }, (_, number) => `${number}`);
      await Promise.all(ids.map((id) => write(id)));
      await Promise.all(Object.keys(OF_A_GRANT).map((model) => nodes.other(model).revokeByGrantId('grant')));
      expect(await left(ids)).to.deep.equal([]);
    });
  });
}
