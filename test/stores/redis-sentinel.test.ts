import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { Ticket } from '../../src/ticket/ticket.ts';
import { placeOf } from '../../src/ticket/ticket-id.ts';
import { RedisServer, startReplica } from '../support/redis.ts';
import { type Sentinel, startSentinel } from '../support/redis-sentinel.ts';
import { Ears } from './ears.ts';
import { eventually } from './eventually.ts';
import { type RedisProcess, startProcess } from './redis-process.ts';
import { changed, newTicket } from './tickets.ts';

/** In milliseconds, from the failover on. */
const BOUND = 15_000;

describe('the engine on Redis with a Sentinel', () => {
  let master: RedisServer;
  let replica: RedisServer;
  let sentinel: Sentinel;
  let one: RedisProcess;
  let other: RedisProcess;

  beforeEach(async () => {
    master = await RedisServer.start();
    replica = await startReplica(master);
    sentinel = await startSentinel(master, replica);
    [one, other] = await Promise.all([startProcess(sentinel.options), startProcess(sentinel.options)]);
  });

  afterEach(async () => {
    await Promise.all([one?.close(), other?.close()]);
    await Promise.all([sentinel?.stop(), replica?.stop(), master?.stop()]);
  });

  /** What one writes is read and heard by the other; errors in between are for those who asked. */
  async function expectAllWell(): Promise<void> {
    const until = performance.now() + BOUND;
    for (;;) {
      try {
        return await expectHeard(newTicket());
      } catch (error) {
        if (performance.now() > until) throw error;
        await pause(100);
      }
    }
  }

  async function expectHeard(ticket: Ticket): Promise<void> {
    const ears = new Ears(other.signals, ticket.interaction);
    try {
      await other.store.findByInteraction(ticket.interaction);
      expect(await one.store.create(ticket)).to.equal(true);
      expect(await one.store.swap(ticket, changed(ticket))).to.equal(true);
      expect(await other.store.find(ticket.id)).to.deep.equal(changed(ticket));
      await ears.hears(2, 1_000);
    } finally {
      ears.stop();
    }
  }

  it('works', async () => {
    await expectHeard(newTicket());
  });

  it('works again after a failover to the replica, and knows the tickets from before', async () => {
    const ticket = newTicket();
    await one.store.create(ticket);
    const key = `keyv:qr:{${placeOf(ticket.id)}}:ticket:${ticket.id}`;
    await eventually('the replica has it', async () => (await replica.command('EXISTS', key)) === 1);
    expect(await sentinel.failover()).to.equal(replica.port);
    await expectAllWell();
    expect(await other.store.find(ticket.id)).to.deep.equal(ticket);
  });

  it('works again after its master died', async () => {
    const switched = sentinel.switched();
    await master.kill();
    expect(await switched).to.equal(replica.port);
    await expectAllWell();
    expect(one.engine.hearsOthers()).to.equal(true);
  });
});
