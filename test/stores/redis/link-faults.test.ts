import { expect } from 'chai';
import { RecordingListener } from '../../../src/stores/contract/recording-listener.ts';
import { newTicket, toScanned } from '../../../src/stores/contract/sample-tickets.ts';
import { QrLoginError } from '../../../src/ticket/errors.ts';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import { sizeOfSuite } from '../../support/full-suite.ts';
import { RedisServer } from '../../support/redis.ts';
import { freePort, LOOPBACK } from '../../support/server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { eventually } from '../../support/until.ts';
import { awaitRefusal } from '../../ticket/builders.ts';
import { GENEROUS, SHORT, storesMayTake, whileStoresMayTake } from '../patience.ts';
import { RedisProcess, startProcess } from './redis-process.ts';
import { Wires } from './wires.ts';

/**
 * The time that stores may take while a test waits until a process closes a silent connection. The process closes it
 * after a multiple of this time.
 */
const TIGHT_MS = 500;

const RESTARTS = sizeOfSuite({ short: 2, full: 3 });
const CUTS = sizeOfSuite({ short: 2, full: 4 });

let redis: RedisServer;

/** The outer suite limits the hooks to this file. */
describe('the engine', () => {
  storesMayTake(GENEROUS);

  before(async () => {
    redis = await RedisServer.start();
  });

  afterEach(async () => {
    redis.resume();
    if (!redis.alive) await redis.restart();
    await redis.command('FLUSHALL');
  });

  after(() => redis?.stop());

  testPauses();
  testRestarts();
  testBadNetworks();
  testSubscriberConnections();
  testNewWatchers();
});

/** A process that writes a ticket, and another one that watches it. */
interface Scene {
  readonly one: RedisProcess;
  readonly other: RedisProcess;
  readonly ticket: Ticket;
  readonly ears: RecordingListener;
}

interface SceneOptions {
  /**
   * The milliseconds that stores may take while the processes start. It decides when they check their connections for
   * the first time.
   */
  readonly starting?: number;
}

async function withScene(
  url: string,
  act: (scene: Scene) => Promise<void>,
  { starting = GENEROUS }: SceneOptions = {},
): Promise<void> {
  const processes = await whileStoresMayTake(starting, () => Promise.all([startProcess(url), startProcess(url)]));
  const [one, other] = processes;
  try {
    const ticket = newTicket();
    const ears = new RecordingListener(other.signals, ticket.interaction);
    await other.store.find(ticket.id);
    await one.store.create(ticket);
    await ears.untilHeard(1);
    await act({ one, other, ticket, ears });
  } finally {
    await Promise.all(processes.map((process) => process.close()));
  }
}

/** Expects that every access is refused: the first one when its time is over, and the next ones without waiting. */
async function expectRefusals({ one, ticket }: Scene): Promise<void> {
  const swap = () => one.store.swap(ticket, toScanned(ticket));
  expect((await whileStoresMayTake(SHORT, () => awaitRefusal(swap()))).code).to.equal('store_unavailable');
  const acts = [
    () => one.store.find(ticket.id),
    () => one.store.findByInteraction(ticket.interaction),
    () => one.store.create(newTicket()),
    swap,
    () => one.engine.ping(),
  ];
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
  }, GENEROUS);
  for (const act of acts) expect((await awaitRefusal(act())).code).to.equal('store_unavailable');
  clearTimeout(timer);
  expect(isOver, 'one of them has waited for an answer').to.equal(false);
}

/**
 * Expects that a new ticket can be written and read, and that the other process gets signals of its changes, or a
 * signal to read again.
 */
async function expectWorks({ one, other }: Scene): Promise<void> {
  await other.untilListening();
  const ticket = newTicket();
  const ears = new RecordingListener(other.signals, ticket.interaction);
  expect(await other.store.findByInteraction(ticket.interaction)).to.equal(undefined);
  expect(await one.store.create(ticket)).to.equal(true);
  expect(await one.store.swap(ticket, toScanned(ticket))).to.equal(true);
  await eventually('gets the signal', () => ears.heard.length >= 2 || ears.doubts > 0);
  expect(await other.store.find(ticket.id)).to.deep.equal(toScanned(ticket));
  ears.stop();
}

async function connections(): Promise<string[]> {
  return `${await redis.command('CLIENT', 'LIST')}`.trim().split('\n');
}

async function channels(): Promise<unknown[]> {
  const answer = await redis.command('PUBSUB', 'CHANNELS');
  return Array.isArray(answer) ? answer : [];
}

function testPauses(): void {
  describe('on a Redis that is stopped and continued', () => {
    it('refuses after the time limit, then immediately, and works again when Redis continues', () =>
      withScene(redis.url, async (scene) => {
        redis.pause();
        await expectRefusals(scene);
        redis.resume();
        await scene.one.untilAnswering();
        await scene.other.untilAnswering();
        await expectWorks(scene);
      }));

    it('tells watchers to read again when Redis continues', () =>
      withScene(redis.url, async (scene) => {
        const before = scene.ears.doubts;
        redis.pause();
        await Promise.all([expectRefusals(scene), awaitRefusal(scene.other.engine.ping())]);
        redis.resume();
        await scene.ears.untilInDoubt(before);
      }));
  });
}

function testRestarts(): void {
  describe('on a Redis that goes down or is restarted', () => {
    it('refuses after the time limit, then immediately, and works again when Redis is back without its data', () =>
      withScene(redis.url, async (scene) => {
        await redis.kill();
        await expectRefusals(scene);
        await redis.restart();
        await scene.one.untilAnswering();
        await scene.other.untilAnswering();
        expect(await scene.one.store.find(scene.ticket.id)).to.equal(undefined);
        await expectWorks(scene);
      }));

    it('renews its watchers in Redis, and they get later changes', () =>
      withScene(redis.url, async (scene) => {
        const { one, other, ears, ticket } = scene;
        const before = ears.doubts;
        await redis.restart();
        await Promise.all([one.untilAnswering(), other.untilAnswering()]);
        await ears.untilInDoubt(before);
        await eventually(
          'Redis has the entry of the watcher',
          async () => `${await redis.command('KEYS', '*:watchers:*')}`.length > 0,
        );
        // The entry may be there before the subscriber is connected again: messages that are published in between are
        // lost.
        await eventually('both have subscribed again', async () => (await channels()).length === 2);
        const heard = ears.heard.length;
        await one.store.create(ticket);
        await ears.untilHeard(heard + 1);
        expect(ears.last).to.deep.equal(ticket);
      }));

    it('has two connections in each process, even after several restarts', () =>
      withScene(redis.url, async (scene) => {
        for (let time = 0; time < RESTARTS; time++) {
          await redis.restart();
          await Promise.all([scene.one.untilAnswering(), scene.other.untilAnswering()]);
        }
        await expectWorks(scene);
        await eventually(
          'there are two connections of each process, and the one of this test',
          async () => (await connections()).length === 5,
        );
      }));

    it('refuses while Redis has not been started yet, and works after it was', async () => {
      const port = await freePort(LOOPBACK);
      const url = `redis://${LOOPBACK}:${port}`;
      const [one, other] = [new RedisProcess(url), new RedisProcess(url)];
      const ticket = newTicket();
      const ears = new RecordingListener(other.signals, ticket.interaction);
      await expectRefusals({ one, other, ticket, ears });
      expect(one.engine.hearsOthers()).to.equal(false);
      const late = await RedisServer.start({ port });
      try {
        await Promise.all([one.untilAnswering(), other.untilAnswering()]);
        await expectWorks({ one, other, ticket, ears });
        await one.store.create(ticket);
        await ears.untilHeard(1);
      } finally {
        await Promise.all([one.close(), other.close()]);
        await late.stop();
      }
    });

    it('can be closed if Redis was never there', () =>
      whileStoresMayTake(SHORT, async () => {
        const process = new RedisProcess(`redis://${LOOPBACK}:${await freePort(LOOPBACK)}`);
        await awaitRefusal(process.engine.ping());
        await process.close();
      }));
  });
}

function testBadNetworks(): void {
  describe('behind a network that is a black hole', () => {
    it('refuses after the time limit, then immediately, and works again afterwards', async () => {
      const proxy = await TcpProxy.start(redis.port);
      await withScene(`redis://${LOOPBACK}:${proxy.port}`, async (scene) => {
        proxy.freeze();
        await expectRefusals(scene);
        await proxy.heal();
        await scene.one.untilAnswering();
        await scene.other.untilAnswering();
        await expectWorks(scene);
      });
      await proxy.stop();
    });
  });

  describe('behind a network that forgets its connections', () => {
    it('makes new connections, and works again', async () => {
      const wires = await Wires.start(redis.port);
      await withScene(
        wires.url,
        async (scene) => {
          wires.die();
          await expectRefusals(scene);
          await whileStoresMayTake(TIGHT_MS, () =>
            Promise.all([scene.one.untilAnswering(), scene.other.untilAnswering()]),
          );
          await expectWorks(scene);
          await scene.ears.untilInDoubt(0);
        },
        { starting: TIGHT_MS },
      );
      await wires.stop();
    });
  });

  describe('behind a network that accepts connections but forwards nothing', () => {
    it('closes connections that wait for the answer to HELLO, and works again', async () => {
      const wires = await Wires.start(redis.port);
      await withScene(
        wires.url,
        async (scene) => {
          wires.leadNowhere();
          await expectRefusals(scene);
          await eventually('both wait for the answer to HELLO', () => wires.lost >= 2);
          // Also test a process whose first connection never gets an answer.
          const late = new RedisProcess(wires.url);
          await whileStoresMayTake(TIGHT_MS, async () => {
            await awaitRefusal(late.engine.ping());
            wires.leadThere();
            await Promise.all([scene.one, scene.other, late].map((process) => process.untilAnswering()));
            await Promise.all([scene.other, late].map((process) => process.untilListening()));
          });
          await expectWorks(scene);
          await late.close();
        },
        { starting: TIGHT_MS },
      );
      await wires.stop();
    });
  });

  describe('behind a network that is cut and repaired', () => {
    it('refuses after the time limit, and works again afterwards', async () => {
      const proxy = await TcpProxy.start(redis.port);
      await withScene(`redis://${LOOPBACK}:${proxy.port}`, async (scene) => {
        await proxy.cut();
        await expectRefusals(scene);
        await proxy.heal();
        await Promise.all([scene.one.untilAnswering(), scene.other.untilAnswering()]);
        await expectWorks(scene);
      });
      await proxy.stop();
    });
  });

  describe('behind a network that is cut during commands', () => {
    it('gives no command the answer to another one, and works again', async () => {
      const wrong: unknown[] = [];
      for (let round = 0; round < CUTS; round++) {
        const proxy = await TcpProxy.start(redis.port);
        const one = await startProcess(`redis://${LOOPBACK}:${proxy.port}`);
        let busy = true;
        let answered = 0;
        const work = (async () => {
          while (busy) {
            one.store.find(newTicket().id).then(
              (ticket) => {
                answered += 1;
                if (ticket !== undefined) wrong.push(ticket);
              },
              (error: unknown) => !(error instanceof QrLoginError) && wrong.push(error),
            );
            await new Promise((resolve) => setImmediate(resolve));
          }
        })();
        await eventually('commands are on their way, and answered', () => answered > 20);
        await proxy.cut();
        await proxy.heal();
        await one.untilAnswering();
        busy = false;
        await work;
        await one.close();
        await proxy.stop();
      }
      expect(wrong).to.deep.equal([]);
    });
  });

  describe('behind a network with a latency of 300 ms', () => {
    it('works', async () => {
      const proxy = await TcpProxy.start(redis.port);
      await withScene(`redis://${LOOPBACK}:${proxy.port}`, async (scene) => {
        proxy.latency = 300;
        await expectWorks(scene);
      });
      await proxy.stop();
    });
  });
}

function testSubscriberConnections(): void {
  async function subscribers(): Promise<string[]> {
    const addresses = (await connections()).map((line) => (/ sub=1 /.test(line) ? / addr=(\S+)/.exec(line)?.[1] : ''));
    return addresses.filter((address): address is string => Boolean(address));
  }

  describe('when its subscriber connection is killed', () => {
    it('tells watchers to read again, and they get the next change', () =>
      withScene(redis.url, async ({ one, ears, ticket }) => {
        const [before, heard] = [ears.doubts, ears.heard.length];
        await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
        await ears.untilInDoubt(before);
        await one.store.swap(ticket, toScanned(ticket));
        await ears.untilHeard(heard + 1);
        expect(ears.last).to.deep.equal(toScanned(ticket));
      }));
  });

  describe('when its subscriber connection is dead without an error', () => {
    it('makes a new one, and no command fails meanwhile', async () => {
      const wires = await Wires.start(redis.port);
      await withScene(
        wires.url,
        async ({ one, other, ears, ticket }) => {
          const [before, heard] = [ears.doubts, ears.heard.length];
          // The subscribers of an earlier test may not have left yet.
          await eventually('two subscribe', async () => (await subscribers()).length === 2);
          const deaf = new Set(await subscribers());
          wires.die((address) => deaf.has(address));
          await other.store.find(ticket.id);
          await whileStoresMayTake(TIGHT_MS, () => ears.untilInDoubt(before));
          await one.store.swap(ticket, toScanned(ticket));
          await ears.untilHeard(heard + 1);
          expect(other.troubles).to.deep.equal([]);
        },
        { starting: TIGHT_MS },
      );
      await wires.stop();
    });
  });
}

function testNewWatchers(): void {
  describe('with a new watcher', () => {
    it('signals changes soon after Redis has memory for the entry of the watcher', () =>
      withScene(redis.url, async ({ one, other }) => {
        const ticket = newTicket();
        await redis.command('CONFIG', 'SET', 'maxmemory', '1');
        const ears = new RecordingListener(other.signals, ticket.interaction);
        await other.store.find(ticket.id);
        await redis.command('CONFIG', 'SET', 'maxmemory', '0');
        const entry = `*:watchers:${ticket.interaction}`;
        await eventually(
          'Redis has the entry of the watcher',
          async () => `${await redis.command('KEYS', entry)}` !== '',
        );
        await one.store.create(ticket);
        await ears.untilHeard(1);
      }));

    it('signals a change right after the read if Redis has just lost its scripts', () =>
      withScene(redis.url, async ({ one, other }) => {
        for (let round = 0; round < 20; round++) {
          const ticket = newTicket();
          await redis.command('SCRIPT', 'FLUSH');
          const ears = new RecordingListener(other.signals, ticket.interaction);
          await other.store.findByInteraction(ticket.interaction);
          await one.store.create(ticket);
          await eventually('gets a signal, or a signal to read again', () => ears.heard.length + ears.doubts > 0);
        }
      }));
  });
}
