import { expect } from 'chai';
import type { Ticket } from '../../src/ticket/ticket.ts';
import { placeOf } from '../../src/ticket/ticket-id.ts';
import type { RedisServer } from '../support/redis.ts';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts';
import { refused } from '../ticket/builders.ts';
import { Ears } from './ears.ts';
import { eventually, timeOf } from './eventually.ts';
import { type RedisProcess, startProcess } from './redis-process.ts';
import { changed, newTicket } from './tickets.ts';

/** In milliseconds: whoever waits for a store in vain hears so by then. */
const SOON = 1_500;
/** From the failover on. */
const BOUND = 10_000;

/** What a Keyv of no other namespace asks for the time. */
const CLOCK = 'keyv:qr:clock';

describe('a Redis Cluster of which a master is frozen, so that its replica takes its place', () => {
  let cluster: RedisCluster;
  let one: RedisProcess;
  let other: RedisProcess;

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
    [one, other] = await Promise.all([startProcess({ rootNodes }), startProcess({ rootNodes })]);
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
    const work = one.store.find(there.id);
    expect(await timeOf(work)).to.be.lessThan(SOON);
    expect((await refused(work)).code).to.equal('store_unavailable');
    await replica.logs(/Failover election won/);

    // The others are asked all the same.
    await eventually('finds what lies elsewhere', () => finds(one, elsewhere), SOON);
    await Promise.all([one, other].map((node) => eventually('finds what lay there', () => finds(node, there), BOUND)));
    await Promise.all([one.answers(BOUND), other.listens(BOUND)]);
    const ears = new Ears(other.signals, next.interaction);
    await other.store.findByInteraction(next.interaction);
    expect(await one.store.create(next)).to.equal(true);
    expect(await one.store.swap(next, changed(next))).to.equal(true);
    await eventually('hears of it', () => ears.heard.length >= 2 || ears.doubts > 0);
    ears.stop();
  }

  it('finds and writes everything again, where that master tells the time', async () => {
    await expectFailover(await cluster.masterOf(CLOCK));
  }).timeout(30_000);

  it('finds and writes everything again, where another one tells the time', async () => {
    const clock = await cluster.masterOf(CLOCK);
    const [another = clock] = cluster.servers.filter((server) => server !== clock);
    await expectFailover(another);
  }).timeout(30_000);
});

async function finds({ store }: RedisProcess, ticket: Ticket): Promise<boolean> {
  const found = await store.find(ticket.id).catch(() => undefined);
  return found?.id === ticket.id;
}
