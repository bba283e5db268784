/** A real Redis Cluster of three masters, which share the slots. */

import { RedisServer } from './redis.ts';
import { freePort, LOOPBACK } from './server.ts';

const SLOTS = 16_384;
const MASTERS = 3;

export class RedisCluster {
  readonly servers: readonly RedisServer[];

  constructor(servers: readonly RedisServer[]) {
    this.servers = servers;
  }

  /** For `createCluster`, or `KeyvRedis` itself. */
  get rootNodes(): { url: string }[] {
    return this.servers.map(({ url }) => ({ url }));
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}

/** Resolves once all three know that every slot has its master; that takes Redis two seconds at least. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const started: Member[] = [];
  try {
    for (let index = 0; index < MASTERS; index++) started.push(await startMember());
    const [first] = started;
    if (first === undefined) throw new Error('a cluster has members');
    for (const [index, { server }] of started.entries()) {
      await server.command('CLUSTER', 'SET-CONFIG-EPOCH', `${index + 1}`);
      const from = Math.ceil((SLOTS * index) / MASTERS);
      const to = Math.ceil((SLOTS * (index + 1)) / MASTERS) - 1;
      await server.command('CLUSTER', 'ADDSLOTSRANGE', `${from}`, `${to}`);
      if (server !== first.server) await server.command('CLUSTER', 'MEET', LOOPBACK, `${first.server.port}`, first.bus);
    }
    await Promise.all(started.map(({ server }) => server.logs(/Cluster state changed: ok/)));
    return new RedisCluster(started.map(({ server }) => server));
  } catch (error) {
    await Promise.all(started.map(({ server }) => server.stop()));
    throw error;
  }
}

interface Member {
  readonly server: RedisServer;
  /** The port at which members talk to each other. */
  readonly bus: string;
}

async function startMember(): Promise<Member> {
  const bus = `${await freePort(LOOPBACK)}`;
  const server = await RedisServer.start({
    args: ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--cluster-port', bus],
  });
  return { server, bus };
}
