import { mock } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import { ExpirySweep, isInMemory } from '../../src/stores/expiry-sweep.ts';
import { keyvOver, nextTurn, RemoteBackend } from './keyv-stores.ts';

/** Longer than a sweep may let something lie. */
const A_WHILE = 30_000;

describe('the sweep of a Keyv in memory', () => {
  let records: Map<string, string>;
  let keyv: Keyv;
  let sweep: ExpirySweep;

  beforeEach(() => {
    records = new Map();
    keyv = new Keyv({ store: records });
    sweep = new ExpirySweep(keyv);
  });

  afterEach(() => {
    sweep.stop();
    mock.timers.reset();
  });

  async function write(key: string, ttl: number): Promise<void> {
    await keyv.set(key, 'value', ttl);
    sweep.watch(key, ttl);
  }

  it('drops what has expired and nobody reads any more', async () => {
    for (let number = 0; number < 100; number++) await write(`${number}`, 1);
    await pause(5);
    expect(records.size).to.equal(100);
    await sweep.sweep(Date.now() + A_WHILE);
    expect(records.size).to.equal(0);
  });

  it('leaves what is alive', async () => {
    await write('short', 1);
    await write('long', 60_000);
    await pause(5);
    await sweep.sweep(Date.now() + A_WHILE);
    expect(await keyv.get('short')).to.equal(undefined);
    expect(await keyv.get('long')).to.equal('value');
    expect(records.size).to.equal(1);
  });

  it('leaves what was written again to live longer, until that has passed too', async () => {
    await write('key', 1);
    await write('key', 60_000);
    await sweep.sweep(Date.now() + A_WHILE);
    expect(records.size).to.equal(1);
    await write('key', 10);
    await pause(20);
    await sweep.sweep(Date.now() + A_WHILE);
    expect(records.size).to.equal(0);
  });

  it('does nothing before the time', async () => {
    await write('key', 1);
    await pause(5);
    await sweep.sweep(Date.now() - A_WHILE);
    expect(records.size).to.equal(1);
  });

  it('comes by itself, in a namespace too', async () => {
    mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.now() });
    const named = new Keyv({ store: records, namespace: 'tickets' });
    const own = new ExpirySweep(named);
    await named.set('key', 'value', 1000);
    own.watch('key', 1000);
    mock.timers.tick(A_WHILE);
    await nextTurn();
    own.stop();
    expect(records.size).to.equal(0);
  });

  it('does not come any more once it is stopped', async () => {
    mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.now() });
    const own = new ExpirySweep(keyv);
    await keyv.set('key', 'value', 1000);
    own.watch('key', 1000);
    own.stop();
    mock.timers.tick(A_WHILE);
    await nextTurn();
    expect(records.size).to.equal(1);
  });
});

describe('a Keyv that is not in memory', () => {
  it('is told from one that is', () => {
    expect(isInMemory(new Keyv())).to.equal(true);
    expect(isInMemory(new Keyv({ store: new Map() }))).to.equal(true);
    expect(isInMemory(keyvOver(new RemoteBackend()))).to.equal(false);
  });

  it('is left alone: its backend expires by itself', async () => {
    mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.now() });
    const backend = new RemoteBackend();
    const sweep = new ExpirySweep(keyvOver(backend));
    for (let number = 0; number < 10; number++) sweep.watch(`${number}`, 1);
    mock.timers.tick(A_WHILE);
    await sweep.sweep(Date.now() + A_WHILE);
    await nextTurn();
    sweep.stop();
    mock.timers.reset();
    expect(backend.asked).to.equal(0);
  });
});
