import { expect } from 'chai';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import { placeOf } from '../../../src/ticket/ticket-id.ts';
import type { RedisServer } from '../../support/redis.ts';
import { type RedisCluster, startRedisCluster } from '../../support/redis-cluster.ts';
import { eventually } from '../../support/until.ts';
import { refused } from '../../ticket/builders.ts';
import { Ears } from '../ears.ts';
import { storesMayTake } from '../patience.ts';
import { changed, newTicket } from '../tickets.ts';
import { type RedisProcess, startProcess } from './redis-process.ts';

/** In milliseconds. The processes give up a connection that says nothing after a few times this. */
const TIGHT = 500;

/** What a Keyv of no other namespace asks for the time. */
const CLOCK = 'keyv:qr:clock';

describe('a Redis Cluster of which a master is frozen, so that its replica takes its place', () => {
  let atClock: Promise<void>;
  let elsewhere: Promise<void>;

  storesMayTake(TIGHT);

  // Most of it is waiting, so both happen at the same time.
  before(() => {
    atClock = failOver((cluster) => cluster.masterOf(CLOCK));
    elsewhere = failOver(async (cluster) => {
      const clock = await cluster.masterOf(CLOCK);
      const [another = clock] = cluster.servers.filter((server) => server !== clock);
      return another;
    });
    // A rejection belongs to the test that waits for it, and must not be an unhandled one until then.
    for (const end of [atClock, elsewhere]) end.catch(() => undefined);
  });

  after(() => Promise.allSettled([atClock, elsewhere]));

  it('finds and writes everything again, where that master tells the time', () => atClock);

  it('finds and writes everything again, where another one tells the time', () => elsewhere);
});

/** Freezes a master of a cluster of its own. @throws AssertionError if not all is well afterwards */
async function failOver(choose: (cluster: RedisCluster) => Promise<RedisServer>): Promise<void> {
  const cluster = await startRedisCluster();
  const processes: RedisProcess[] = [];
  try {
    const frozen = await choose(cluster);
    const replica = await cluster.addReplica(frozen);
    // Frozen members would not even refuse who asks them for the others.
    const rootNodes = cluster.rootNodes.filter(({ url }) => url !== frozen.url);
    processes.push(...(await Promise.all([startProcess({ rootNodes }), startProcess({ rootNodes })])));
    await expectAllWellAfter(cluster, frozen, replica, processes as [RedisProcess, RedisProcess]);
  } finally {
    await Promise.all(processes.map((process) => process.close()));
    await cluster.stop();
  }
}

async function expectAllWellAfter(
  cluster: RedisCluster,
  frozen: RedisServer,
  replica: RedisServer,
  [one, other]: readonly [RedisProcess, RedisProcess],
): Promise<void> {
  const there = await ticketAt(cluster, (master) => master === frozen);
  const elsewhere = await ticketAt(cluster, (master) => master !== frozen);
  const next = await ticketAt(cluster, (master) => master === frozen);
  for (const ticket of [there, elsewhere]) await creates(one, ticket);

  frozen.pause();
  expect((await refused(one.store.find(there.id))).code).to.equal('store_unavailable');
  // The others are asked all the same.
  await finds(one, elsewhere);
  await replica.logs(/Failover election won/);

  await Promise.all([one, other].map((process) => finds(process, there)));
  await Promise.all([one.answers(), other.listens()]);
  const ears = new Ears(other.signals, next.interaction);
  await eventually('reads what it watches', () =>
    other.store.findByInteraction(next.interaction).then(succeeds, fails),
  );
  await creates(one, next);
  await eventually('changes it', async () => {
    const written = await one.store.swap(next, changed(next)).catch(() => false);
    return written || (await isFound(one, changed(next)));
  });
  await eventually('hears of it', () => ears.heard.length >= 2 || ears.doubts > 0);
  ears.stop();
}

async function ticketAt(cluster: RedisCluster, isMeant: (master: RedisServer) => boolean): Promise<Ticket> {
  for (;;) {
    const ticket = newTicket();
    if (isMeant(await cluster.masterOf(`{${placeOf(ticket.id)}}`))) return ticket;
  }
}

/** A slow machine may answer too late, and have written it all the same. */
function creates(process: RedisProcess, ticket: Ticket): Promise<void> {
  return eventually('creates a ticket', async () => {
    const created = await process.store.create(ticket).catch(() => false);
    return created || (await isFound(process, ticket));
  });
}

function finds(process: RedisProcess, ticket: Ticket): Promise<void> {
  return eventually('finds a ticket', () => isFound(process, ticket));
}

async function isFound({ store }: RedisProcess, { id, version }: Ticket): Promise<boolean> {
  const found = await store.find(id).catch(() => undefined);
  return found?.version === version;
}

function succeeds(): boolean {
  return true;
}

function fails(): boolean {
  return false;
}
