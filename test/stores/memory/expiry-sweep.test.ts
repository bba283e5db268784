import { mock } from 'node:test';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import { sweepExpired } from '../../../src/stores/memory/expiry-sweep.ts';
import { isInMemory } from '../../../src/stores/memory/in-memory.ts';
import { keyvOver, nextTurn, RemoteBackend } from './keyv-stores.ts';

/** Longer than a sweep may let something lie. */
const A_WHILE = 60_000;
const LONG = 10 * A_WHILE;

const kinds: Record<string, (records: Map<string, unknown>) => Keyv> = {
  'as it comes': (store) => new Keyv({ store }),
  'in a namespace': (store) => new Keyv({ store, namespace: 'tickets' }),
  'that writes values down in its own way': (store) =>
    new Keyv({
      store,
      serialize: (data) => `*${JSON.stringify(data)}`,
      deserialize: (data) => JSON.parse(data.slice(1)),
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

    async function passes(milliseconds: number): Promise<void> {
      mock.timers.tick(milliseconds);
      await nextTurn();
    }

    it('drops what has expired and nobody reads any more', async () => {
      for (let number = 0; number < 1000; number++) await keyv.set(`${number}`, { number }, 1000);
      expect(records.size).to.equal(1000);
      await passes(A_WHILE);
      expect(records.size).to.equal(0);
    });

    it('leaves what is alive, and what has no end', async () => {
      await keyv.set('short', { text: '","expires":1}' }, 1000);
      await keyv.set('long', { text: '","expires":1}' }, LONG);
      await keyv.set('endless', { expires: 1 });
      await passes(A_WHILE);
      expect(await keyv.get('short')).to.equal(undefined);
      expect(await keyv.get('long')).to.deep.equal({ text: '","expires":1}' });
      expect(await keyv.get('endless')).to.deep.equal({ expires: 1 });
      expect(records.size).to.equal(2);
    });

    it('leaves what was written again to live longer, until that has passed too', async () => {
      await keyv.set('key', 'value', 1000);
      await keyv.set('key', 'value', LONG);
      await passes(A_WHILE);
      expect(records.size).to.equal(1);
      await passes(LONG);
      expect(records.size).to.equal(0);
    });

    it('does not come any more once it is stopped', async () => {
      await keyv.set('key', 'value', 1000);
      stop();
      await passes(A_WHILE);
      expect(records.size).to.equal(1);
    });
  });
}

describe('a Keyv that is not in memory', () => {
  it('is told from one that is', () => {
    expect(isInMemory(new Keyv())).to.equal(true);
    expect(isInMemory(new Keyv({ store: new Map() }))).to.equal(true);
    expect(isInMemory(keyvOver(new RemoteBackend()))).to.equal(false);
  });

  it('is left alone: its backend expires by itself', async () => {
    mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.now() });
    const backend = new RemoteBackend();
    const keyv = keyvOver(backend);
    const stop = sweepExpired(keyv);
    await keyv.set('key', 'value', 1000);
    const { asked } = backend;
    mock.timers.tick(A_WHILE);
    await nextTurn();
    stop();
    mock.timers.reset();
    expect(backend.asked).to.equal(asked);
  });
});
