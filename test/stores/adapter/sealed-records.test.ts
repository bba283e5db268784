import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import type { AdapterFactory } from 'oidc-provider';
import { keyvAdapter } from '../../../src/stores/adapter/keyv-adapter.ts';
import type { Records } from '../../../src/stores/adapter/records.ts';
import { SealedRecords } from '../../../src/stores/adapter/sealed-records.ts';
import { RedisServer } from '../../support/redis.ts';
import { keyvOver, nextTurn, RemoteBackend } from '../memory/keyv-stores.ts';
import { GENEROUS, storesMayTake } from '../patience.ts';
import { cutOff, redisKeyv } from './backends.ts';
import { earlierAdapter, recordsIn } from './earlier-adapter.ts';
import { OF_A_GRANT, OF_EACH_MODEL, OF_NO_GRANT, USED_ONCE } from './payloads.ts';

const NEW_SECRET = 'the new secret, at least 32 characters';
const OLD_SECRET = Buffer.from('the old secret, at least 32 characters');

/** The adapters that may have written the records that are in the store. */
const WRITERS: Readonly<Record<string, (store: Keyv) => AdapterFactory>> = {
  'an earlier version': (store) => earlierAdapter(store, (model) => model in OF_A_GRANT),
  'an adapter without secrets': (store) => keyvAdapter(store),
  'an adapter with the old secret': (store) => keyvAdapter(store, { secrets: [OLD_SECRET] }),
};

let redis: RedisServer | undefined;
const STORES: Readonly<Record<string, () => Keyv>> = {
  'a Keyv in memory': () => new Keyv(),
  'a Keyv behind a network': () => keyvOver(new RemoteBackend()),
  Redis: () => redisKeyv(redis?.url ?? '', `${Math.random()}`),
};

for (const [where, makeStore] of Object.entries(STORES)) {
  describe(`records in ${where}`, () => {
    let store: Keyv;
    let adapter: AdapterFactory;

    storesMayTake(GENEROUS);

    before(async () => {
      if (where === 'Redis') redis = await RedisServer.start();
    });

    after(async () => {
      await redis?.stop();
      redis = undefined;
    });

    beforeEach(() => {
      store = makeStore();
      adapter = keyvAdapter(store, { secrets: [NEW_SECRET, OLD_SECRET] });
    });

    afterEach(() => cutOff(store));

    it('of a used proof are found by nodes with and without the newest secret, in either order', async () => {
      const before = keyvAdapter(store, { secrets: [OLD_SECRET] })('ReplayDetection');
      const after = adapter('ReplayDetection');
      expect(await before.find('first at the old node')).to.equal(undefined);
      expect(await after.find('first at the old node')).to.have.property('jti');
      expect(await after.find('first at the new node')).to.equal(undefined);
      expect(await before.find('first at the new node')).to.have.property('jti');
      const both = await Promise.all([before.find('at both'), after.find('at both')]);
      expect(both.filter((found) => found === undefined)).to.have.length.at.most(1);
    });

    it('of a grant that was ended cannot be written by nodes with or without the newest secret', async () => {
      await adapter('Grant').upsert('ended', {}, 600);
      await adapter('Grant').destroy('ended');
      const before = keyvAdapter(store, { secrets: [OLD_SECRET] });
      for (const node of [before, adapter]) {
        await node('AccessToken').upsert('late', { grantId: 'ended' }, 600);
        expect(await node('AccessToken').find('late')).to.equal(undefined);
      }
    });

    for (const [who, makeWriter] of Object.entries(WRITERS)) {
      describe(`that ${who} has written`, () => {
        let writer: AdapterFactory;

        beforeEach(async () => {
          writer = makeWriter(store);
          for (const [model, payload] of Object.entries(OF_EACH_MODEL)) await writer(model).upsert('id', payload, 600);
        });

        it('are found', async () => {
          for (const [model, payload] of Object.entries(OF_EACH_MODEL)) {
            expect(await adapter(model).find('id'), model).to.deep.equal(payload);
          }
          expect(await adapter('Session').findByUid('uid of a session')).to.deep.equal(OF_NO_GRANT.Session);
          expect(await adapter('DeviceCode').findByUserCode('BCDFGHJK')).to.deep.equal(OF_A_GRANT.DeviceCode);
        });

        it('are consumed once, even if they are saved in between', async () => {
          for (const model of USED_ONCE) {
            // Use a separate grant, because the losers of the race end it.
            const payload = { ...OF_EACH_MODEL[model], grantId: `grant of ${model}` };
            await writer(model).upsert('id', payload, 600);
            await adapter(model).upsert('id', payload, 600);
            const saved = adapter(model).upsert('id', payload, 600);
            const tries = Array.from({ length: 20 }, () => adapter(model).consume('id'));
            const done = await Promise.allSettled(tries);
            await saved;
            expect(
              done.filter(({ status }) => status === 'fulfilled'),
              model,
            ).to.have.length(1);
            const again = await adapter(model)
              .consume('id')
              .catch((error: Error) => error);
            expect(again, model).to.be.an('error');
          }
        });

        it('stay consumed', async () => {
          for (const [model, payload] of Object.entries(OF_EACH_MODEL)) {
            await writer(model).consume('id');
            await adapter(model).upsert('id', payload, 600);
            expect((await adapter(model).find('id'))?.consumed, model).to.be.a('number');
          }
        });

        it('are destroyed with their lookup keys', async () => {
          for (const model of Object.keys(OF_EACH_MODEL)) {
            await adapter(model).destroy('id');
            expect(await adapter(model).find('id'), model).to.equal(undefined);
            expect(await writer(model).find('id'), model).to.equal(undefined);
          }
          const other = { jti: 'other' };
          for (const model of ['Session', 'DeviceCode']) await writer(model).upsert('id', other, 600);
          expect(await writer('Session').findByUid('uid of a session')).to.equal(undefined);
          expect(await writer('DeviceCode').findByUserCode('BCDFGHJK')).to.equal(undefined);
        });

        it('are deleted with their grant, together with records that were written later', async () => {
          await adapter('AccessToken').upsert('later', { jti: 'later', grantId: 'grant' }, 600);
          await adapter('AccessToken').revokeByGrantId('grant');
          for (const model of Object.keys(OF_A_GRANT)) {
            expect(await adapter(model).find('id'), model).to.equal(undefined);
          }
          expect(await adapter('AccessToken').find('later')).to.equal(undefined);
        });

        it('are stored only under the newest secret after they are saved', async () => {
          const session = { ...OF_NO_GRANT.Session, accountId: 'bob' };
          await adapter('Session').upsert('id', session, 600);
          const later = keyvAdapter(store, { secrets: [NEW_SECRET] });
          expect(await later('Session').find('id')).to.deep.equal(session);
          expect(await later('Session').findByUid('uid of a session')).to.deep.equal(session);
          expect(await writer('Session').find('id')).to.equal(undefined);
          expect(await writer('Session').findByUid('uid of a session')).to.equal(undefined);
        });
      });
    }

    it('are not found without the secret that wrote them', async () => {
      await adapter('Session').upsert('id', OF_NO_GRANT.Session ?? {}, 600);
      for (const secrets of [[OLD_SECRET], undefined]) {
        const other = keyvAdapter(store, secrets && { secrets });
        expect(await other('Session').find('id')).to.equal(undefined);
        expect(await other('Session').findByUid('uid of a session')).to.equal(undefined);
      }
    });

    it('are not found, consumed or destroyed by the hash that names them', async () => {
      const codes = adapter('AuthorizationCode');
      await codes.upsert('id', OF_A_GRANT.AuthorizationCode ?? {}, 600);
      const [name = ''] = await namesOf('AuthorizationCode:id');
      expect(name).to.match(/^AuthorizationCode.[\w-]{43}$/);
      for (const hash of [name, name.slice('AuthorizationCode'.length), name.slice('AuthorizationCode#'.length)]) {
        expect(await codes.find(hash), hash).to.equal(undefined);
        await codes.consume(hash).catch(() => undefined);
        await codes.destroy(hash);
      }
      expect(await codes.find('id')).to.deep.equal(OF_A_GRANT.AuthorizationCode);
    });

    it('are not found if the store has swapped their payloads, or changed one', async () => {
      const [mine = '', other = ''] = await namesOf('Session:mine', 'Session:other');
      const records = recordsIn(store);
      const write = (): Promise<void> => adapter('Session').upsert('mine', { accountId: 'alice' }, 600);
      await write();
      await adapter('Session').upsert('other', { accountId: 'bob' }, 600);
      await records.put(mine, (await records.get(other)) ?? {}, 600_000, undefined);
      expect(await adapter('Session').find('mine')).to.equal(undefined);
      await write();
      const sealed = `${(await records.get(mine))?.sealed}`;
      for (const changed of [`A${sealed.slice(1)}A`, sealed.slice(0, -4), '', 'A', undefined]) {
        await records.put(mine, { sealed: changed }, 600_000, undefined);
        expect(await adapter('Session').find('mine'), `${changed}`).to.equal(undefined);
      }
    });
  });
}

/** Returns the names under which records are written with the new secret. */
async function namesOf(...keys: readonly string[]): Promise<string[]> {
  const names: string[] = [];
  const records = new SealedRecords({ ...NONE, take: async (name) => void names.push(name) }, [NEW_SECRET], new Set());
  const first: string[] = [];
  for (const key of keys) {
    names.length = 0;
    await records.take(key);
    first.push(`${names[0]}`);
  }
  return first;
}

/** Records that are always empty. */
const NONE: Records = {
  put: async () => undefined,
  get: async () => undefined,
  consume: async () => false,
  take: async () => undefined,
  claim: async () => 'refused',
  finish: async () => true,
  release: async () => undefined,
  reserve: async () => true,
  revoke: async () => undefined,
  close: async () => undefined,
  point: async () => undefined,
  follow: async () => undefined,
  unpoint: async () => undefined,
};

describe('a record that is looked up', () => {
  /** Runs a lookup. @returns for each round trip, the number of reads that were under way at the same time */
  async function batchesOf(look: (records: Records) => Promise<unknown>): Promise<number[]> {
    const batches: number[] = [];
    let running = 0;
    const read = async (): Promise<undefined> => {
      running += 1;
      await nextTurn();
      if (running > 0) batches.push(running);
      running = 0;
    };
    await look(new SealedRecords({ ...NONE, get: read, follow: read }, [NEW_SECRET, OLD_SECRET], new Set()));
    return batches;
  }

  it('costs two round trips if it does not exist: one for the newest secret, one for everything older', async () => {
    expect(await batchesOf((records) => records.get('Session:id'))).to.deep.equal([1, 3]);
    expect(await batchesOf((records) => records.follow('uid:id'))).to.deep.equal([1, 3]);
  });

  it('costs one read if it was written with the newest secret', async () => {
    const backend = new RemoteBackend();
    const adapter = keyvAdapter(keyvOver(backend), { secrets: [NEW_SECRET, OLD_SECRET] });
    await adapter('Session').upsert('id', OF_NO_GRANT.Session ?? {}, 600);
    backend.asked = 0;
    await adapter('Session').find('id');
    expect(backend.asked).to.equal(1);
  });
});

describe('keyvAdapter', () => {
  it('refuses secrets that are not a list, empty, or too short', () => {
    for (const secrets of ['a text that is longer than 32 characters', [], ['short'], [Buffer.alloc(31)], [7], null]) {
      expect(() => keyvAdapter(new Keyv(), { secrets } as never), `${secrets}`).to.throw(TypeError, /openssl rand/);
    }
  });

  it('writes neither ids nor values in plain text, with and without secrets', async () => {
    for (const options of [{}, { secrets: [NEW_SECRET] }]) {
      const map = new Map<string, string>();
      const adapter = keyvAdapter(new Keyv({ store: map }), options);
      for (const [model, payload] of Object.entries(OF_EACH_MODEL)) await adapter(model).upsert('my id', payload, 600);
      const stored = JSON.stringify([...map]);
      for (const text of [
        'my id',
        '"grant"',
        ':grant"',
        'alice',
        'rp.example',
        'BCDFGHJK',
        'uid of a session',
        '"sid"',
      ]) {
        expect(stored, text).not.to.include(text);
      }
    }
  });

  it('warns once if a store outside of the process has no secrets', async () => {
    const program = `
      import { Keyv } from 'keyv';
      import { keyvAdapter } from './src/index.ts';
      const elsewhere = () => new Keyv({ store: { get() {}, set() {}, delete() {}, clear() {} } });
      process.on('warning', ({ code, message }) => console.log(code, message));
      keyvAdapter(new Keyv());
      keyvAdapter(elsewhere(), { secrets: ['${NEW_SECRET}'] });
      console.log('now');
      setImmediate(() => { for (let time = 0; time < 3; time++) keyvAdapter(elsewhere()); });
    `;
    const args = ['--import', './scripts/typescript.mjs', '--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(stdout).to.match(/^now\nQR_LOGIN_READABLE .*secrets: \[process\.env\.STORE_KEY\].*\n$/);
  });
});
