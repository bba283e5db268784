import { mock } from 'node:test';
import { createClient } from '@keyv/redis';
import { expect } from 'chai';
import { chooseEngine } from '../../../src/stores/choose-engine.ts';
import { RecordingListener } from '../../../src/stores/contract/recording-listener.ts';
import { newTicket, toFollower, toReplaced, toScanned } from '../../../src/stores/contract/sample-tickets.ts';
import { storeContract } from '../../../src/stores/contract/store-contract.ts';
import { sizeOfSuite } from '../../support/full-suite.ts';
import { keyv6OverRedis } from '../../support/keyv6.ts';
import { RedisServer } from '../../support/redis.ts';
import { eventually } from '../../support/until.ts';
import { awaitRefusal } from '../../ticket/builders.ts';
import { nextTurn } from '../memory/keyv-stores.ts';
import { GENEROUS, storesMayTake, whileStoresMayTake } from '../patience.ts';
import { RedisProcess, startProcess } from './redis-process.ts';

const ROUNDS = sizeOfSuite({ short: 2, full: 100 });
const ABANDONED = sizeOfSuite({ short: 1_000, full: 10_000 });

/** The largest error of a time that is measured over the network on a very slow machine. */
const MAX_ERROR_MS = 5_000;

storeContract({ describe, it, before, after }, 'the engine on Redis with Keyv 6', async () => {
  const redis = await RedisServer.start();
  const keyvs = [keyv6OverRedis(redis.url), keyv6OverRedis(redis.url)];
  const callbacks = { onTrouble: () => undefined, onLate: () => undefined };
  const [here, there] = keyvs.map((keyv) => chooseEngine(keyv, Date.now, callbacks));
  if (here === undefined || there === undefined) throw new Error('there are two engines');
  await eventually('both hear each other', () => here.hearsOthers() && there.hearsOthers());
  const close = async (): Promise<void> => {
    await Promise.all([here.close(), there.close()]);
    await Promise.all(keyvs.map((keyv) => keyv.disconnect()));
    await redis.stop();
  };
  return { here, there, close };
});

storeContract({ describe, it, before, after }, 'the engine on Redis', async () => {
  const redis = await RedisServer.start();
  const [here, there] = await Promise.all([startProcess(redis.url), startProcess(redis.url)]);
  const close = async (): Promise<void> => {
    await Promise.all([here.close(), there.close()]);
    await redis.stop();
  };
  const refuseWrites = async (): Promise<() => Promise<void>> => {
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    return async () => void (await redis.command('CONFIG', 'SET', 'maxmemory', '0'));
  };
  return { here: here.engine, there: there.engine, refuseWrites, close };
});

describe('the engine on Redis, in detail,', () => {
  let redis: RedisServer;
  let one: RedisProcess;
  let other: RedisProcess;

  storesMayTake(GENEROUS);

  before(async () => {
    redis = await RedisServer.start();
  });

  after(() => redis?.stop());

  beforeEach(async () => {
    await redis.command('FLUSHALL');
    [one, other] = await Promise.all([startProcess(redis.url), startProcess(redis.url)]);
  });

  afterEach(() => Promise.all([one?.close(), other?.close()]));

  async function keys(): Promise<string[]> {
    const found = await redis.command('KEYS', '*');
    return Array.isArray(found) ? found.map(String).sort() : [];
  }

  async function clients(): Promise<string[]> {
    return `${await redis.command('CLIENT', 'LIST')}`.trim().split('\n');
  }

  /**
   * Waits until Redis has closed the connections of earlier tests.
   * @returns the number of connections that remain
   */
  async function untilOthersLeft(): Promise<number> {
    // Each of the two processes has two connections, and the fifth one lists them.
    const remaining = 5;
    await eventually('the others have left', async () => (await clients()).length === remaining);
    return remaining;
  }

  it('has the name redis', () => {
    expect(one.engine.name).to.equal('redis');
  });

  it('keeps all tickets of an interaction in one slot of a cluster', async () => {
    const ticket = newTicket();
    const next = toFollower(ticket);
    new RecordingListener(one.signals, ticket.interaction);
    await one.store.create(ticket);
    await one.store.swap(ticket, next, toReplaced(ticket));
    const kept = await keys();
    expect(kept).to.have.length(4);
    expect(new Set(kept.map((key) => /\{([\da-f]{4})\}/.exec(key)?.[1])).size).to.equal(1);
  });

  it('makes every key expire: a ticket at its deadline, an entry of a watcher after three minutes', async () => {
    const ticket = newTicket({ deadline: Date.now() + 20_000 });
    const next = toFollower(ticket, { deadline: Date.now() + 30_000 });
    const ended = toReplaced(ticket, { deadline: Date.now() + 10_000 });
    new RecordingListener(one.signals, ticket.interaction);
    await one.store.create(ticket);
    await one.store.swap(ticket, next, ended);
    for (const key of await keys()) {
      const left = Number(await redis.command('PTTL', key));
      const most = key.includes(':watchers:') ? 180_000 : key.includes(ticket.id) ? 10_000 : 30_000;
      // The lower bound leaves 9 s for a slow machine, and still distinguishes the three times.
      expect(left, key).to.be.within(most - 9_000, most + MAX_ERROR_MS);
    }
  });

  it('writes only keys with the prefix of its Keyv', async () => {
    await one.store.create(newTicket());
    for (const key of await keys()) expect(key).to.match(/^keyv:qr:/);
  });

  it('works after Redis has lost its scripts', async () => {
    const ticket = newTicket();
    await one.store.create(ticket);
    await redis.command('SCRIPT', 'FLUSH');
    expect(await one.store.swap(ticket, toScanned(ticket))).to.equal(true);
    await redis.command('SCRIPT', 'FLUSH');
    await one.engine.ping();
  });

  it('lets exactly one of fifty concurrent swaps from two processes win, in each round', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const ticket = newTicket();
      await one.store.create(ticket);
      const rivals = Array.from({ length: 50 }, (_, number) =>
        toScanned(ticket, { deadline: ticket.deadline + number }),
      );
      const won = await Promise.all(
        rivals.map((next, number) => (number % 2 === 0 ? one : other).store.swap(ticket, next)),
      );
      expect(won.filter(Boolean), `round ${round}`).to.have.length(1);
      expect(await other.store.find(ticket.id)).to.deep.equal(rivals[won.indexOf(true)]);
    }
  });

  it('sends one message to each process that watches an interaction, and none to the others', async () => {
    const [first, second, unwatched] = [newTicket(), newTicket(), newTicket()];
    const ears = new RecordingListener(one.signals, first.interaction);
    const more = new RecordingListener(one.signals, first.interaction);
    const others = new RecordingListener(other.signals, second.interaction);
    await Promise.all([one.store.find(first.id), other.store.find(second.id)]);
    const messages = await collectPublished(async () => {
      for (const ticket of [first, second, unwatched]) await one.store.create(ticket);
      await Promise.all([ears.untilHeard(1), more.untilHeard(1), others.untilHeard(1)]);
    });
    expect(messages).to.have.length(2);
    expect(new Set(messages.map(({ channel }) => channel)).size).to.equal(2);
    expect(messages.map(({ message }) => message)).to.deep.equal(
      [first, second].map((ticket) => JSON.stringify(ticket)),
    );
  });

  /** Returns the messages about tickets that are published while the function runs. */
  async function collectPublished(act: () => Promise<void>): Promise<{ channel: string; message: string }[]> {
    const messages: { channel: string; message: string }[] = [];
    const listener = await startListener(redis.url, 'keyv:qr:node:*', (message, channel) =>
      messages.push({ channel, message }),
    );
    await act();
    await redis.command('PUBLISH', 'keyv:qr:node:', 'the end');
    await eventually('all has arrived', () => messages.some(({ message }) => message === 'the end'));
    await listener();
    return messages.filter(({ message }) => message.startsWith('{'));
  }

  it('uses the time of Redis if the clock of its process is 61 s ahead or behind', async () => {
    const real = Date.now;
    for (const wrong of [61_000, -61_000]) {
      mock.method(Date, 'now', () => real() + wrong);
      const process = await startProcess(redis.url);
      const difference = process.engine.clock() - real();
      mock.restoreAll();
      expect(Math.abs(difference), `${wrong}`).to.be.lessThan(MAX_ERROR_MS);
      await process.close();
    }
  });

  it('expires a ticket in time if the process that writes it has a wrong clock', async () => {
    const real = Date.now;
    mock.method(Date, 'now', () => real() + 61_000);
    try {
      const process = await startProcess(redis.url);
      const ticket = newTicket({ deadline: process.engine.clock() + 20_000 });
      await process.store.create(ticket);
      const left = (await Promise.all((await keys()).map((key) => redis.command('PTTL', key)))).map(Number);
      await process.close();
      expect(left).to.have.length(2);
      for (const ttl of left) expect(ttl).to.be.within(1, 20_000 + MAX_ERROR_MS);
    } finally {
      mock.restoreAll();
    }
  });

  it('corrects its time at the next comparison after the clock of its process was set', async () => {
    const real = Date.now;
    mock.method(Date, 'now', () => real() + 61_000);
    try {
      await one.engine.ping();
      expect(Math.abs(one.engine.clock() - real())).to.be.lessThan(MAX_ERROR_MS);
    } finally {
      mock.restoreAll();
    }
    await one.engine.ping();
    expect(Math.abs(one.engine.clock() - real())).to.be.lessThan(MAX_ERROR_MS);
  });

  it('accepts an answer that arrived while its process was blocked', async () => {
    const ticket = newTicket();
    await one.store.create(ticket);
    const patience = 300;
    redis.pause();
    const found = whileStoresMayTake(patience, () => one.store.find(ticket.id));
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    // The command was sent. Redis answers it while the process is blocked.
    redis.resume();
    for (const until = performance.now() + 3 * patience; performance.now() < until; );
    expect(await found).to.deep.equal(ticket);
  });

  it('closes its own connection, and leaves that of the Keyv open', async () => {
    const before = await untilOthersLeft();
    const process = await startProcess(redis.url);
    expect(await clients()).to.have.length(before + 2);
    await process.engine.close();
    await eventually('the subscriber has gone', async () => (await clients()).length === before + 1);
    await process.keyv.set('key', 'value');
    expect(await process.keyv.get('key')).to.equal('value');
    await process.close();
    await eventually('all have gone', async () => (await clients()).length === before);
  });

  it('can be closed before it was ready, and a second time', async () => {
    const before = await untilOthersLeft();
    const process = new RedisProcess(redis.url);
    await process.engine.close();
    await process.engine.close();
    await process.close();
    await eventually('all have gone', async () => (await clients()).length === before);
  });

  it('refuses writes while Redis is a read-only replica, but still reads', async () => {
    const ticket = newTicket();
    await one.store.create(ticket);
    await redis.command('REPLICAOF', '127.0.0.1', '1');
    try {
      expect((await awaitRefusal(one.store.swap(ticket, toScanned(ticket)))).code).to.equal('store_unavailable');
      expect((await awaitRefusal(one.store.create(newTicket()))).code).to.equal('store_unavailable');
      expect(await one.store.find(ticket.id)).to.deep.equal(ticket);
    } finally {
      await redis.command('REPLICAOF', 'NO', 'ONE');
    }
    expect(await one.store.swap(ticket, toScanned(ticket))).to.equal(true);
  });

  it('refuses writes while Redis is out of memory, but still reads', async () => {
    const ticket = newTicket();
    await one.store.create(ticket);
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    try {
      expect((await awaitRefusal(one.store.swap(ticket, toScanned(ticket)))).code).to.equal('store_unavailable');
      expect((await awaitRefusal(one.store.create(newTicket()))).code).to.equal('store_unavailable');
      expect(await one.store.findByInteraction(ticket.interaction)).to.deep.equal(ticket);
    } finally {
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    }
    expect(await one.store.swap(ticket, toScanned(ticket))).to.equal(true);
  });

  it('leaves nothing in Redis of abandoned tickets after they have expired', async () => {
    const size = Number(await redis.command('DBSIZE'));
    const used = Number(await redis.info('used_memory'));
    const AT_ONCE = 500;
    for (let made = 0; made < ABANDONED; made += AT_ONCE) {
      const tickets = Array.from({ length: AT_ONCE }, () => newTicket({ deadline: one.engine.clock() + 1_000 }));
      await Promise.all(tickets.map((ticket, number) => (number % 2 === 0 ? one : other).store.create(ticket)));
    }
    await eventually('all are gone', async () => Number(await redis.command('DBSIZE')) === size);
    expect(Number(await redis.info('used_memory')) - used).to.be.lessThan(2_000_000);
  });
});

/** Subscribes to a pattern. @returns the function that ends the subscription */
async function startListener(
  url: string,
  pattern: string,
  hear: (message: string, channel: string) => void,
): Promise<() => Promise<void>> {
  const client = createClient({ url });
  await client.connect();
  await client.pSubscribe(pattern, hear);
  return async () => client.destroy();
}
