import { mock } from 'node:test';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import type { AdapterFactory } from 'oidc-provider';
import { keyvAdapter } from '../../../src/stores/adapter/keyv-adapter.ts';
import { keyvOver, RemoteBackend } from '../memory/keyv-stores.ts';
import { storedName } from './stored-names.ts';

const backends: Record<string, () => Keyv> = {
  'a Keyv in memory': () => new Keyv(),
  'a Keyv behind a network': () => keyvOver(new RemoteBackend()),
};

for (const [name, makeKeyv] of Object.entries(backends)) {
  describe(`a grant in ${name}`, () => {
    let keyv: Keyv;
    let adapter: AdapterFactory;

    beforeEach(() => {
      mock.timers.enable({ apis: ['Date'], now: Date.now() });
      keyv = makeKeyv();
      adapter = keyvAdapter(keyv);
    });

    afterEach(() => mock.timers.reset());

    function write(id: string, expiresIn?: number): Promise<unknown> {
      return adapter('AccessToken').upsert(id, { jti: id, grantId: 'grant' }, expiresIn);
    }

    async function left(...ids: readonly string[]): Promise<string[]> {
      const found = await Promise.all(ids.map((id) => adapter('AccessToken').find(id)));
      return ids.filter((_, index) => found[index] !== undefined);
    }

    function revoke(): Promise<unknown> {
      return adapter('AccessToken').revokeByGrantId('grant');
    }

    it('holds the record that lives longest after the others have expired', async () => {
      await write('long', 3600);
      await write('short', 10);
      mock.timers.tick(1_800_000);
      await write('another short', 10);
      mock.timers.tick(60_000);
      expect(await left('long', 'short', 'another short')).to.deep.equal(['long']);
      await revoke();
      expect(await left('long')).to.deep.equal([]);
    });

    it('holds a record that never expires, even after a year', async () => {
      await write('endless');
      await write('short', 10);
      mock.timers.tick(365 * 24 * 3_600_000);
      await revoke();
      expect(await left('endless')).to.deep.equal([]);
    });

    it('holds a record that was written again with a longer time', async () => {
      await write('mine', 10);
      await write('mine', 3600);
      mock.timers.tick(60_000);
      expect(await left('mine')).to.deep.equal(['mine']);
      await revoke();
      expect(await left('mine')).to.deep.equal([]);
    });

    it('takes no records for ten minutes after it was destroyed', async () => {
      await write('early', 3600);
      await adapter('Grant').destroy('grant');
      mock.timers.tick(599_000);
      await write('late', 3600);
      expect(await left('early', 'late')).to.deep.equal([]);
      mock.timers.tick(2_000);
      expect(await keyv.get('grant:grant')).to.equal(undefined);
      await write('much later', 3600);
      expect(await left('early', 'late', 'much later')).to.deep.equal(['much later']);
    });

    it('holds only live records after it got a token an hour for four weeks', async () => {
      for (let hour = 0; hour < 4 * 7 * 24; hour++) {
        await write(`${hour}`, 3600);
        mock.timers.tick(3_600_000);
      }
      await write('last', 3600);
      const members = Object.keys((await keyv.get<object>(storedName('grant:grant'))) ?? {});
      expect(members).to.deep.equal([storedName('AccessToken:last')]);
    });
  });
}
