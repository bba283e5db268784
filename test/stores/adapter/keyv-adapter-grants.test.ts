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

    it('still holds the record that lives longest when the others have expired', async () => {
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
      const { members, parts } = await grantIn(keyv);
      expect([...members, ...parts.flat()]).to.deep.equal([storedName('AccessToken:last')]);
    });

    it('holds all live records, for any order in which they expire', async () => {
      const ids: string[] = [];
      for (let number = 0; number < 500; number++) {
        ids.push(`${number}`);
        // Some never expire, and some live for 10, 100 or 1,000 seconds.
        await write(`${number}`, number % 50 === 0 ? undefined : 10 ** (1 + (number % 3)));
        mock.timers.tick(1_000);
      }
      const alive = await left(...ids);
      expect(alive).to.have.length.above(150);
      const { members, parts } = await grantIn(keyv);
      const held = new Set([...members, ...parts.flat()]);
      expect(alive.filter((id) => !held.has(storedName(`AccessToken:${id}`)))).to.deep.equal([]);
      expect(parts.length).to.be.below((3 * alive.length) / 16);
      await revoke();
      expect(await left(...ids)).to.deep.equal([]);
    });

    it('is revoked together with later records if an earlier version wrote it', async () => {
      const early = Array.from({ length: 100 }, (_, number) => `early ${number}`);
      await Promise.all(early.map((id) => write(id, 3600)));
      const members = early.map((id) => [storedName(`AccessToken:${id}`), Date.now() + 3_600_000]);
      await keyv.set(storedName('grant:grant'), Object.fromEntries(members));
      await write('late', 3600);
      await revoke();
      expect(await left(...early, 'late')).to.deep.equal([]);
    });

    it('takes no records if an earlier version has closed it', async () => {
      await keyv.set(storedName('grant:grant'), { closed: Date.now() + 600_000 });
      await write('late', 3600);
      expect(await left('late')).to.deep.equal([]);
      mock.timers.tick(600_000);
      await write('much later', 3600);
      expect(await left('much later')).to.deep.equal(['much later']);
    });
  });
}

/** A Map that counts the characters that are read from it and written to it. */
class CountingMap extends Map<string, string> {
  characters = 0;

  override get(key: string): string | undefined {
    const value = super.get(key);
    this.characters += value?.length ?? 0;
    return value;
  }

  override set(key: string, value: string): this {
    this.characters += value.length;
    return super.set(key, value);
  }
}

describe('a grant with ten thousand tokens', () => {
  it('reads and writes no more for another token than for the first ones, and is revoked completely', async () => {
    const map = new CountingMap();
    const adapter = keyvAdapter(new Keyv({ store: map }))('AccessToken');
    let written = 0;
    const cost = async (count: number): Promise<number> => {
      const before = map.characters;
      for (let number = 0; number < count; number++) {
        written += 1;
        const jti = String(written).padStart(8, '0');
        await adapter.upsert(jti, { jti, grantId: 'grant' }, 3600);
      }
      return (map.characters - before) / count;
    };
    const first = await cost(64);
    await cost(10_000);
    const last = await cost(64);
    expect(last / first).to.be.below(1.2);
    await adapter.revokeByGrantId('grant');
    expect([...map.keys()]).to.deep.equal([]);
  });
});

interface StoredGrant {
  readonly members: Record<string, number | null>;
  readonly first: number;
  readonly next: number;
}

/** Returns the names of the records in the entry of the grant itself, and in the entries of its further parts. */
async function grantIn(keyv: Keyv): Promise<{ readonly members: string[]; readonly parts: string[][] }> {
  const name = storedName('grant:grant');
  const { members, first, next } = (await keyv.get<StoredGrant>(name)) ?? { members: {}, first: 0, next: 0 };
  const numbers = Array.from({ length: next - first }, (_, index) => first + index);
  const parts = await Promise.all(
    numbers.map((number) => keyv.get<object>(name.replace('grant:', `members:${number}:`))),
  );
  return { members: Object.keys(members), parts: parts.map((part) => Object.keys(part ?? {})) };
}
