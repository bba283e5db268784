import { expect } from 'chai';
import { newTicket, toFollower, toReplaced } from '../../../src/stores/contract/sample-tickets.ts';
import { storeContract } from '../../../src/stores/contract/store-contract.ts';
import { type RedisCluster, startRedisCluster } from '../../support/redis-cluster.ts';
import { eventually } from '../../support/until.ts';
import { GENEROUS, storesMayTake } from '../patience.ts';
import { type RedisProcess, startProcess } from './redis-process.ts';

describe('on a Redis Cluster of three masters', () => {
  let cluster: RedisCluster;

  storesMayTake(GENEROUS);

  before(async () => {
    cluster = await startRedisCluster();
  });

  after(() => cluster?.stop());

  function start(): Promise<RedisProcess> {
    return startProcess({ rootNodes: cluster.rootNodes });
  }

  storeContract({ describe, it, before, after }, 'the engine', async () => {
    const [here, there] = await Promise.all([start(), start()]);
    const close = async (): Promise<void> => {
      await Promise.all([here.close(), there.close()]);
    };
    return { here: here.engine, there: there.engine, close };
  });

  it('tickets are spread over all masters, all keys of an interaction are on one, and every key expires', async () => {
    const process = await start();
    await Promise.all(cluster.servers.map((server) => server.command('FLUSHALL')));
    const tickets = Array.from({ length: 60 }, () => newTicket());
    await Promise.all(tickets.map((ticket) => process.store.create(ticket)));
    await Promise.all(tickets.map((ticket) => process.store.swap(ticket, toFollower(ticket), toReplaced(ticket))));
    for (const server of cluster.servers) {
      const found = await server.command('KEYS', '*');
      const keys = Array.isArray(found) ? found.map(String) : [];
      // Two interactions may share a hash tag, which has 16 bits. Therefore count the interactions by their own keys.
      const interactions = keys.filter((key) => key.includes(':interaction:'));
      // Three keys for each interaction: the interaction, its ticket, and the previous ticket.
      expect(keys.length)
        .to.equal(3 * interactions.length)
        .and.to.be.greaterThan(9);
      const lives = await Promise.all(keys.map((key) => server.command('PTTL', key)));
      for (const life of lives) expect(Number(life)).to.be.within(1, 65_000);
    }
    await process.close();
  });

  it('no connection is left after the engine and its Keyv were closed', async () => {
    const count = async (): Promise<number> => {
      const lists = await Promise.all(cluster.servers.map((server) => server.command('CLIENT', 'LIST')));
      return lists.join('').match(/ addr=/g)?.length ?? 0;
    };
    // The only connection left to each master is the one that lists the clients.
    await eventually(
      'the processes of earlier tests have left',
      async () => (await count()) === cluster.servers.length,
    );
    const process = await start();
    await process.store.create(newTicket());
    await process.close();
    await eventually('the process has left', async () => (await count()) === cluster.servers.length);
  });
});
