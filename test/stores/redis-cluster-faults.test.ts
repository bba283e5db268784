import { expect } from 'chai';
import type { Ticket } from '../../src/ticket/ticket.ts';
import { placeOf } from '../../src/ticket/ticket-id.ts';
import type { RedisServer } from '../support/redis.ts';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts';
import { eventually } from '../support/until.ts';
import { refused } from '../ticket/builders.ts';
import { Ears } from './ears.ts';
import { GENEROUS, SHORT, storesMayTake, whileStoresMayTake } from './patience.ts';
import { type RedisProcess, startProcess } from './redis-process.ts';
import { changed, newTicket } from './tickets.ts';

/** In milliseconds: how long a store may take while the processes find out that a master has another address. */
const TIGHT = 500;

/** What a Keyv of no other namespace asks for the time. */
const CLOCK = 'keyv:qr:clock';

describe('a Redis Cluster of which a master is frozen, so that its replica takes its place', () => {
  let cluster: RedisCluster;
  let one: RedisProcess;
  let other: RedisProcess;

  storesMayTake(GENEROUS);

  beforeEach(async () => {
    cluster = await startRedisCluster();
  });

  afterEach(async () => {
    await Promise.all([one?.close(), other?.close()]);
    await cluster?.stop();
  });

  /** Frozen members would not even refuse who asks them for the others. */
  async function start(frozen: RedisServer): Promise<void> {
    const rootNodes = cluster.rootNodes.filter(({ url }) => url !== frozen.url);
    // They look at their connections more often that way.
    [one, other] = await whileStoresMayTake(TIGHT, () =>
      Promise.all([startProcess({ rootNodes }), startProcess({ rootNodes })]),
    );
  }

  async function ticketAt(isMeant: (master: RedisServer) => boolean): Promise<Ticket> {
    for (;;) {
      const ticket = newTicket();
      if (isMeant(await cluster.masterOf(`{${placeOf(ticket.id)}}`))) return ticket;
    }
  }

  async function expectFailover(frozen: RedisServer): Promise<void> {
    const replica = await cluster.addReplica(frozen);
    await start(frozen);
    const there = await ticketAt((master) => master === frozen);
    const elsewhere = await ticketAt((master) => master !== frozen);
    const next = await ticketAt((master) => master === frozen);
    for (const ticket of [there, elsewhere]) expect(await one.store.create(ticket)).to.equal(true);

    frozen.pause();
    const refusal = await whileStoresMayTake(SHORT, () => refused(one.store.find(there.id)));
    expect(refusal.code).to.equal('store_unavailable');
    // The others are asked all the same.
    expect(await finds(one, elsewhere)).to.equal(true);
    await replica.logs(/Failover election won/);

    await whileStoresMayTake(TIGHT, async () => {
      await Promise.all([one, other].map((node) => eventually('finds what lay there', () => finds(node, there))));
      await Promise.all([one.answers(), other.listens()]);
    });
    const ears = new Ears(other.signals, next.interaction);
    await other.store.findByInteraction(next.interaction);
    expect(await one.store.create(next)).to.equal(true);
    expect(await one.store.swap(next, changed(next))).to.equal(true);
    await eventually('hears of it', () => ears.heard.length >= 2 || ears.doubts > 0);
    ears.stop();
  }

  it('finds and writes everything again, where that master tells the time', async () => {
    await expectFailover(await cluster.masterOf(CLOCK));
  });

  it('finds and writes everything again, where another one tells the time', async () => {
    const clock = await cluster.masterOf(CLOCK);
    const [another = clock] = cluster.servers.filter((server) => server !== clock);
    await expectFailover(another);
  });
});

async function finds({ store }: RedisProcess, ticket: Ticket): Promise<boolean> {
  const found = await store.find(ticket.id).catch(() => undefined);
  return found?.id === ticket.id;
}
