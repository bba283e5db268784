/** Starts a real Redis Cluster of three masters, which share the slots. */
import { expect } from 'chai';
import { RedisServer } from './redis.ts';
import { freePort, LOOPBACK } from './server.ts';
import { until } from './until.ts';

const SLOTS = 16_384;
const MASTERS = 3;

interface Member {
  readonly server: RedisServer;
  /** The port for the traffic between members. */
  readonly bus: string;
}

export class RedisCluster {
  /** The masters at the start. */
  readonly servers: readonly RedisServer[];
  readonly #masters: readonly Member[];
  readonly #replicas: RedisServer[] = [];

  constructor(masters: readonly Member[]) {
    this.#masters = masters;
    this.servers = masters.map(({ server }) => server);
  }

  /** The option for `createCluster` or `KeyvRedis`. */
  get rootNodes(): { url: string }[] {
    return this.servers.map(({ url }) => ({ url }));
  }

  /** Returns the master that had this key's slot at the start. */
  async masterOf(key: string): Promise<RedisServer> {
    const slot = Number(await this.servers[0]?.command('CLUSTER', 'KEYSLOT', key));
    const master = this.servers.findLast((_, index) => slot >= firstSlotOf(index));
    if (master === undefined) throw new Error(`there is no master for ${key}`);
    return master;
  }

  /**
   * Adds a replica to this master. Resolves when the replica has copied all data and all masters know it, so that
   * they could promote it.
   */
  async addReplica(master: RedisServer): Promise<RedisServer> {
    const { server: replica } = await startMember();
    this.#replicas.push(replica);
    const id = `${await master.command('CLUSTER', 'MYID')}`;
    const bus = this.#masters.find(({ server }) => server === master)?.bus ?? '';
    await replica.command('CLUSTER', 'MEET', LOOPBACK, `${master.port}`, bus);
    await until(async () =>
      `${await replica.command('CLUSTER', 'NODES')}`.includes(`${id} ${LOOPBACK}:${master.port}`),
    );
    await replica.command('CLUSTER', 'REPLICATE', id);
    await replica.untilLogged(/MASTER <-> REPLICA sync: Finished with success/);
    // The master sends no writes to the replica before the replica has acknowledged the copy, which takes up to a
    // second.
    expect(await master.command('WAIT', '1', '10000')).to.equal(1);
    const replicaId = `${await replica.command('CLUSTER', 'MYID')}`;
    const isKnown = new RegExp(`^${replicaId} .* slave ${id} .* connected`, 'm');
    for (const { server } of this.#masters) {
      await until(async () => isKnown.test(`${await server.command('CLUSTER', 'NODES')}`));
    }
    return replica;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.servers, ...this.#replicas].map((server) => server.stop()));
  }
}

/**
 * Starts the cluster. Resolves when all three masters know that every slot has a master. Redis needs at least two
 * seconds for that.
 */
export async function startRedisCluster(): Promise<RedisCluster> {
  const started: Member[] = [];
  try {
    for (let index = 0; index < MASTERS; index++) started.push(await startMember());
    const [first] = started;
    if (first === undefined) throw new Error('a cluster has members');
    for (const [index, { server }] of started.entries()) {
      await server.command('CLUSTER', 'SET-CONFIG-EPOCH', `${index + 1}`);
      const last = firstSlotOf(index + 1) - 1;
      await server.command('CLUSTER', 'ADDSLOTSRANGE', `${firstSlotOf(index)}`, `${last}`);
      if (server !== first.server) await server.command('CLUSTER', 'MEET', LOOPBACK, `${first.server.port}`, first.bus);
    }
    await Promise.all(started.map(({ server }) => server.untilLogged(/Cluster state changed: ok/)));
    return new RedisCluster(started);
  } catch (error) {
    await Promise.all(started.map(({ server }) => server.stop()));
    throw error;
  }
}

/** Returns the first slot of a master. */
function firstSlotOf(index: number): number {
  return Math.ceil((SLOTS * index) / MASTERS);
}

async function startMember(): Promise<Member> {
  const bus = `${await freePort(LOOPBACK)}`;
  const server = await RedisServer.start({
    args: ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--cluster-port', bus],
  });
  return { server, bus };
}
