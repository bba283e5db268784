import { expect } from 'chai';
import { RecordingListener } from '../../../src/stores/contract/recording-listener.ts';
import { newTicket, toScanned } from '../../../src/stores/contract/sample-tickets.ts';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import { placeOfTicket } from '../../../src/ticket/ticket-id.ts';
import type { RedisServer } from '../../support/redis.ts';
import { type RedisCluster, startRedisCluster } from '../../support/redis-cluster.ts';
import { eventually } from '../../support/until.ts';
import { awaitRefusal } from '../../ticket/builders.ts';
import { storesMayTake } from '../patience.ts';
import { type RedisProcess, startProcess } from './redis-process.ts';

/** The time that stores may take. The processes close a silent connection after a multiple of it. */
const TIGHT_MS = 500;

/** The key with which a Keyv with the default namespace asks for the time. */
const CLOCK = 'keyv:qr:clock';

describe('a Redis Cluster with a frozen master that its replica replaces', () => {
  let atClock: Promise<void>;
  let elsewhere: Promise<void>;

  storesMayTake(TIGHT_MS);

  // Both failovers consist mostly of waiting, so they run at the same time.
  before(() => {
    atClock = failOver((cluster) => cluster.masterOf(CLOCK));
    elsewhere = failOver(async (cluster) => {
      const clock = await cluster.masterOf(CLOCK);
      const [another = clock] = cluster.servers.filter((server) => server !== clock);
      return another;
    });
    // Mark the promises as handled: a rejection is reported by the test that awaits it, and must not be unhandled
    // before.
    for (const end of [atClock, elsewhere]) end.catch(() => undefined);
  });

  after(() => Promise.allSettled([atClock, elsewhere]));

  it('can be read and written again if that master gives the time', () => atClock);

  it('can be read and written again if another master gives the time', () => elsewhere);
});

/** Starts a cluster and freezes one of its masters. @throws AssertionError if something does not work afterwards */
async function failOver(choose: (cluster: RedisCluster) => Promise<RedisServer>): Promise<void> {
  const cluster = await startRedisCluster();
  const processes: RedisProcess[] = [];
  try {
    const frozen = await choose(cluster);
    const replica = await cluster.addReplica(frozen);
    // Do not ask the frozen member for the other members, because it would not even refuse a connection.
    const rootNodes = cluster.rootNodes.filter(({ url }) => url !== frozen.url);
    processes.push(...(await Promise.all([startProcess({ rootNodes }), startProcess({ rootNodes })])));
    await expectFailover(cluster, frozen, replica, processes as [RedisProcess, RedisProcess]);
  } finally {
    await Promise.all(processes.map((process) => process.close()));
    await cluster.stop();
  }
}

async function expectFailover(
  cluster: RedisCluster,
  frozen: RedisServer,
  replica: RedisServer,
  [one, other]: readonly [RedisProcess, RedisProcess],
): Promise<void> {
  const there = await ticketAt(cluster, (master) => master === frozen);
  const elsewhere = await ticketAt(cluster, (master) => master !== frozen);
  const next = await ticketAt(cluster, (master) => master === frozen);
  for (const ticket of [there, elsewhere]) await untilCreated(one, ticket);
  // Redis acknowledges a write before its replica has it, and a failover loses the writes that the replica does not
  // have.
  const offset = Number(await frozen.info('master_repl_offset'));
  await eventually('the replica is up to date', async () => Number(await replica.info('slave_repl_offset')) >= offset);

  frozen.pause();
  expect((await awaitRefusal(one.store.find(there.id))).code).to.equal('store_unavailable');
  // The other masters still answer.
  await untilFound(one, elsewhere);
  await replica.untilLogged(/Failover election won/);

  await Promise.all([one, other].map((process) => untilFound(process, there)));
  await Promise.all([one.untilAnswering(), other.untilListening()]);
  const ears = new RecordingListener(other.signals, next.interaction);
  await eventually('the other process reads the ticket that it watches', () =>
    other.store.findByInteraction(next.interaction).then(succeeds, fails),
  );
  await untilCreated(one, next);
  await eventually('the first process changes the ticket', async () => {
    const written = await one.store.swap(next, toScanned(next)).catch(() => false);
    return written || (await isFound(one, toScanned(next)));
  });
  await eventually('the other process gets the signal', () => ears.heard.length >= 2 || ears.doubts > 0);
  ears.stop();
}

async function ticketAt(cluster: RedisCluster, isMeant: (master: RedisServer) => boolean): Promise<Ticket> {
  for (;;) {
    const ticket = newTicket();
    if (isMeant(await cluster.masterOf(`{${placeOfTicket(ticket.id)}}`))) return ticket;
  }
}

/** Creates a ticket. On a slow machine, the answer may come too late although the ticket was written. */
function untilCreated(process: RedisProcess, ticket: Ticket): Promise<void> {
  return eventually('creates a ticket', async () => {
    const created = await process.store.create(ticket).catch(() => false);
    return created || (await isFound(process, ticket));
  });
}

function untilFound(process: RedisProcess, ticket: Ticket): Promise<void> {
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
