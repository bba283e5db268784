import { expect } from 'chai';
import { RecordingListener } from '../../../src/stores/contract/recording-listener.ts';
import { newTicket, toScanned } from '../../../src/stores/contract/sample-tickets.ts';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import { placeOfTicket } from '../../../src/ticket/ticket-id.ts';
import { RedisServer, startReplica } from '../../support/redis.ts';
import { type Sentinel, startSentinel } from '../../support/redis-sentinel.ts';
import { eventually } from '../../support/until.ts';
import { GENEROUS, storesMayTake, whileStoresMayTake } from '../patience.ts';
import { type RedisProcess, startProcess } from './redis-process.ts';

/** The time that stores may take while the processes find the new master. */
const TIGHT_MS = 500;

/**
 * The time after which a message counts as lost, because the subscriber was not connected. The test then sends another
 * one.
 */
const LOST_AFTER_MS = 500;

/** A master, a replica, a Sentinel and two processes. */
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

  /**
   * Expects that one process reads the other's write and gets the signal.
   * @param patience the longest wait in milliseconds
   */
  async expectHeard(ticket: Ticket, patience?: number): Promise<void> {
    const { one, other } = this;
    const ears = new RecordingListener(other.signals, ticket.interaction);
    try {
      await other.store.findByInteraction(ticket.interaction);
      expect(await one.store.create(ticket)).to.equal(true);
      expect(await one.store.swap(ticket, toScanned(ticket))).to.equal(true);
      expect(await other.store.find(ticket.id)).to.deep.equal(toScanned(ticket));
      await ears.untilHeard(2, patience);
    } finally {
      ears.stop();
    }
  }

  /** Waits until {@link expectHeard} succeeds. Failures until then are expected during a failover. */
  async expectHeardAgain(): Promise<void> {
    const isHeard = (): Promise<boolean> =>
      this.expectHeard(newTicket(), LOST_AFTER_MS).then(
        () => true,
        () => false,
      );
    await whileStoresMayTake(TIGHT_MS, () => eventually('the other process gets a change by the first one', isHeard));
  }
}

describe('the engine on Redis with a Sentinel', () => {
  let replaced: Scene | undefined;
  let killed: Scene | undefined;

  storesMayTake(GENEROUS);

  before(async () => {
    // The scenes start at the same time, because starting is mostly waiting. A short time-out makes the processes check
    // their connections more often.
    const starts = await whileStoresMayTake(TIGHT_MS, () => Promise.allSettled([Scene.start(), Scene.start()]));
    [replaced, killed] = starts.map((start) => (start.status === 'fulfilled' ? start.value : undefined));
    for (const start of starts) if (start.status === 'rejected') throw start.reason;
  });

  after(() => Promise.all([replaced?.stop(), killed?.stop()]));

  function started(scene: Scene | undefined): Scene {
    if (scene === undefined) throw new Error('not started');
    return scene;
  }

  it('works before a failover', () => started(replaced).expectHeard(newTicket()));

  it('works again after a failover to the replica, and still has the earlier tickets', async () => {
    const { one, other, replica, sentinel } = started(replaced);
    const ticket = newTicket();
    await one.store.create(ticket);
    const key = `keyv:qr:{${placeOfTicket(ticket.id)}}:ticket:${ticket.id}`;
    await eventually('the replica has the ticket', async () => (await replica.command('EXISTS', key)) === 1);
    expect(await sentinel.failover()).to.equal(replica.port);
    await started(replaced).expectHeardAgain();
    expect(await other.store.find(ticket.id)).to.deep.equal(ticket);
  });

  it('works again after its master died', async () => {
    const { one, master, replica, sentinel } = started(killed);
    const switched = sentinel.untilSwitched();
    await master.kill();
    expect(await switched).to.equal(replica.port);
    await started(killed).expectHeardAgain();
    await eventually('the first process gets a change by the other one', () => one.engine.hearsOthers());
  });
});
