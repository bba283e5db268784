import { expect } from 'chai';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import { placeOf } from '../../../src/ticket/ticket-id.ts';
import { RedisServer, startReplica } from '../../support/redis.ts';
import { type Sentinel, startSentinel } from '../../support/redis-sentinel.ts';
import { eventually } from '../../support/until.ts';
import { Ears } from '../ears.ts';
import { GENEROUS, storesMayTake, whileStoresMayTake } from '../patience.ts';
import { changed, newTicket } from '../tickets.ts';
import { type RedisProcess, startProcess } from './redis-process.ts';

/** In milliseconds: how long a store may take while the processes find out that there is another master. */
const TIGHT = 500;

/** In milliseconds: a message that has not arrived by then was sent while the subscriber was not connected. The test sends another one. */
const LOST_AFTER = 500;

/** A master with a replica and a Sentinel, and two processes. */
class Scene {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly sentinel: Sentinel;
  readonly one: RedisProcess;
  readonly other: RedisProcess;
  readonly #stop: () => Promise<void>;

  private constructor(
    servers: { readonly master: RedisServer; readonly replica: RedisServer; readonly sentinel: Sentinel },
    processes: readonly [RedisProcess, RedisProcess],
    stop: () => Promise<void>,
  ) {
    this.master = servers.master;
    this.replica = servers.replica;
    this.sentinel = servers.sentinel;
    [this.one, this.other] = processes;
    this.#stop = stop;
  }

  static async start(): Promise<Scene> {
    const started: { stop: () => Promise<void> }[] = [];
    const stop = async (): Promise<void> => {
      for (const part of started.splice(0).reverse()) await part.stop();
    };
    const keep = <T extends { stop: () => Promise<void> }>(part: T): T => {
      started.push(part);
      return part;
    };
    try {
      const master = keep(await RedisServer.start());
      const replica = keep(await startReplica(master));
      const sentinel = keep(await startSentinel(master, replica));
      const startOne = async (): Promise<RedisProcess> => {
        const process = await startProcess(sentinel.options);
        keep({ stop: () => process.close() });
        return process;
      };
      const processes = await Promise.all([startOne(), startOne()]);
      return new Scene({ master, replica, sentinel }, processes, stop);
    } catch (error) {
      await stop();
      throw error;
    }
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  /** What one writes is read and heard by the other. @param patience milliseconds in which it has to be heard */
  async expectHeard(ticket: Ticket, patience?: number): Promise<void> {
    const { one, other } = this;
    const ears = new Ears(other.signals, ticket.interaction);
    try {
      await other.store.findByInteraction(ticket.interaction);
      expect(await one.store.create(ticket)).to.equal(true);
      expect(await one.store.swap(ticket, changed(ticket))).to.equal(true);
      expect(await other.store.find(ticket.id)).to.deep.equal(changed(ticket));
      await ears.hears(2, patience);
    } finally {
      ears.stop();
    }
  }

  /** The same again and again; errors in between are for those who asked. */
  async expectHeardAgain(): Promise<void> {
    const isHeard = (): Promise<boolean> =>
      this.expectHeard(newTicket(), LOST_AFTER).then(
        () => true,
        () => false,
      );
    await whileStoresMayTake(TIGHT, () => eventually('what one writes is heard by the other', isHeard));
  }
}

describe('the engine on Redis with a Sentinel', () => {
  let replaced: Scene | undefined;
  let killed: Scene | undefined;

  storesMayTake(GENEROUS);

  before(async () => {
    // Most of this is waiting. They look at their connections more often that way.
    const starts = await whileStoresMayTake(TIGHT, () => Promise.allSettled([Scene.start(), Scene.start()]));
    [replaced, killed] = starts.map((start) => (start.status === 'fulfilled' ? start.value : undefined));
    for (const start of starts) if (start.status === 'rejected') throw start.reason;
  });

  after(() => Promise.all([replaced?.stop(), killed?.stop()]));

  function started(scene: Scene | undefined): Scene {
    if (scene === undefined) throw new Error('not started');
    return scene;
  }

  it('works', () => started(replaced).expectHeard(newTicket()));

  it('works again after a failover to the replica, and knows the tickets from before', async () => {
    const { one, other, replica, sentinel } = started(replaced);
    const ticket = newTicket();
    await one.store.create(ticket);
    const key = `keyv:qr:{${placeOf(ticket.id)}}:ticket:${ticket.id}`;
    await eventually('the replica has it', async () => (await replica.command('EXISTS', key)) === 1);
    expect(await sentinel.failover()).to.equal(replica.port);
    await started(replaced).expectHeardAgain();
    expect(await other.store.find(ticket.id)).to.deep.equal(ticket);
  });

  it('works again after its master died', async () => {
    const { one, master, replica, sentinel } = started(killed);
    const switched = sentinel.switched();
    await master.kill();
    expect(await switched).to.equal(replica.port);
    await started(killed).expectHeardAgain();
    await eventually('the other process is heard as well', () => one.engine.hearsOthers());
  });
});
