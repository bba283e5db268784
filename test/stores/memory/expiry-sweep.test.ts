import { mock } from 'node:test';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import { sweepExpired } from '../../../src/stores/memory/expiry-sweep.ts';
import { isInMemory } from '../../../src/stores/memory/in-memory.ts';
import { newKeyv6 } from '../../support/keyv6.ts';
import { keyvOver, nextTurn, RemoteBackend } from './keyv-stores.ts';

/** Longer than an expired value can stay before the sweep drops it. */
const A_WHILE_MS = 60_000;
const LONG_MS = 10 * A_WHILE_MS;

const kinds: Record<string, (records: Map<string, unknown>) => Keyv> = {
  'with default options': (store) => new Keyv({ store }),
  'in a namespace': (store) => new Keyv({ store, namespace: 'tickets' }),
  'with a custom serializer': (store) =>
    new Keyv({
      store,
      serialize: (data) => `*${JSON.stringify(data)}`,
      deserialize: (data) => JSON.parse(data.slice(1)),
    }),
  'of Keyv 6': (store) => newKeyv6({ store }),
  'of Keyv 6 in a namespace': (store) => newKeyv6({ store, namespace: 'tickets' }),
  'of Keyv 6 with a custom serializer': (store) =>
    newKeyv6({
      store,
      namespace: 'tickets',
      serialization: {
        stringify: (data: unknown) => `*${JSON.stringify(data)}`,
        parse: (data: string) => JSON.parse(data.slice(1)),
      },
    }),
};

for (const [kind, make] of Object.entries(kinds)) {
  describe(`the sweep of a Keyv in memory ${kind}`, () => {
    let records: Map<string, unknown>;
    let keyv: Keyv;
    let stop: () => void;

    beforeEach(() => {
      mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.now() });
      records = new Map();
      keyv = make(records);
      stop = sweepExpired(keyv);
    });

    afterEach(() => {
      stop();
      mock.timers.reset();
    });

    async function pass(milliseconds: number): Promise<void> {
      mock.timers.tick(milliseconds);
      await nextTurn();
    }

    it('drops expired values that are never read', async () => {
      for (let number = 0; number < 1000; number++) await keyv.set(`${number}`, { number }, 1000);
      expect(records.size).to.equal(1000);
      await pass(A_WHILE_MS);
      expect(records.size).to.equal(0);
    });

    it('keeps values that have not expired or never expire', async () => {
      await keyv.set('short', { text: '","expires":1}' }, 1000);
      await keyv.set('long', { text: '","expires":1}' }, LONG_MS);
      await keyv.set('endless', { expires: 1 });
      await pass(A_WHILE_MS);
      expect(await keyv.get('short')).to.equal(undefined);
      expect(await keyv.get('long')).to.deep.equal({ text: '","expires":1}' });
      expect(await keyv.get('endless')).to.deep.equal({ expires: 1 });
      expect(records.size).to.equal(2);
    });

    it('keeps a value that was written again with a longer lifetime, until this lifetime is also over', async () => {
      await keyv.set('key', 'value', 1000);
      await keyv.set('key', 'value', LONG_MS);
      await pass(A_WHILE_MS);
      expect(records.size).to.equal(1);
      await pass(LONG_MS);
      expect(records.size).to.equal(0);
    });

    it('drops nothing after it was stopped', async () => {
      await keyv.set('key', 'value', 1000);
      stop();
      await pass(A_WHILE_MS);
      expect(records.size).to.equal(1);
    });
  });
}

describe('a Keyv that is not in memory', () => {
  it('is distinguished from a Keyv in memory', () => {
    expect(isInMemory(new Keyv())).to.equal(true);
    expect(isInMemory(new Keyv({ store: new Map() }))).to.equal(true);
    expect(isInMemory(keyvOver(new RemoteBackend()))).to.equal(false);
  });

  it('is not swept, because its backend expires values by itself', async () => {
    mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.now() });
    const backend = new RemoteBackend();
    const keyv = keyvOver(backend);
    const stop = sweepExpired(keyv);
    await keyv.set('key', 'value', 1000);
    const { asked } = backend;
    mock.timers.tick(A_WHILE_MS);
    await nextTurn();
    stop();
    mock.timers.reset();
    expect(backend.asked).to.equal(asked);
  });
});
