import { expect } from 'chai';
import { QrLoginError } from '../../../src/ticket/errors.ts';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import { sizeOfSuite } from '../../support/full-suite.ts';
import { RedisServer } from '../../support/redis.ts';
import { freePort, LOOPBACK } from '../../support/server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { eventually } from '../../support/until.ts';
import { refused } from '../../ticket/builders.ts';
import { Ears } from '../ears.ts';
import { GENEROUS, SHORT, storesMayTake, whileStoresMayTake } from '../patience.ts';
import { changed, newTicket } from '../tickets.ts';
import { RedisProcess, startProcess } from './redis-process.ts';
import { Wires } from './wires.ts';

/**
 * In milliseconds: how long a store may take while a test waits until a process gives up a connection that says nothing. It does so after
 * a few times this.
 */
const TIGHT = 500;

const RESTARTS = sizeOfSuite({ short: 2, full: 3 });
const CUTS = sizeOfSuite({ short: 2, full: 4 });

let redis: RedisServer;

/** The outer suite: its hooks are those of this file alone. */
describe('the engine on a Redis in trouble:', () => {
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

  stoppedAndContinued();
  dead();
  badNetwork();
  listening();
  watching();
});

/** One that writes and one that watches the ticket, in another process. */
interface Scene {
  readonly one: RedisProcess;
  readonly other: RedisProcess;
  readonly ticket: Ticket;
  readonly ears: Ears;
}

interface SceneOptions {
  /** How long stores may take when the processes start: it decides on when they look at their connections for the first time. */
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
    const ears = new Ears(other.signals, ticket.interaction);
    await other.store.find(ticket.id);
    await one.store.create(ticket);
    await ears.hears(1);
    await act({ one, other, ticket, ears });
  } finally {
    await Promise.all(processes.map((process) => process.close()));
  }
}

/** Everything is refused: the first access once the time for an answer is over, the next ones without waiting for that time. */
async function expectRefusals({ one, ticket }: Scene): Promise<void> {
  const swap = () => one.store.swap(ticket, changed(ticket));
  expect((await whileStoresMayTake(SHORT, () => refused(swap()))).code).to.equal('store_unavailable');
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
  for (const act of acts) expect((await refused(act())).code).to.equal('store_unavailable');
  clearTimeout(timer);
  expect(isOver, 'one of them has waited for an answer').to.equal(false);
}

/** A new ticket goes its way, and the other process hears of it, or that it has to read. */
async function expectAllWell({ one, other }: Scene): Promise<void> {
  await other.listens();
  const ticket = newTicket();
  const ears = new Ears(other.signals, ticket.interaction);
  expect(await other.store.findByInteraction(ticket.interaction)).to.equal(undefined);
  expect(await one.store.create(ticket)).to.equal(true);
  expect(await one.store.swap(ticket, changed(ticket))).to.equal(true);
  await eventually('hears of it', () => ears.heard.length >= 2 || ears.doubts > 0);
  expect(await other.store.find(ticket.id)).to.deep.equal(changed(ticket));
  ears.stop();
}

async function connections(): Promise<string[]> {
  return `${await redis.command('CLIENT', 'LIST')}`.trim().split('\n');
}

async function channels(): Promise<unknown[]> {
  const answer = await redis.command('PUBSUB', 'CHANNELS');
  return Array.isArray(answer) ? answer : [];
}

function stoppedAndContinued(): void {
  describe('Redis that is stopped and continued', () => {
    it('refuses in time and then at once, and all is well right after it goes on', () =>
      withScene(redis.url, async (scene) => {
        redis.pause();
        await expectRefusals(scene);
        redis.resume();
        await scene.one.answers();
        await scene.other.answers();
        await expectAllWell(scene);
      }));

    it('makes those who watch read again when it goes on', () =>
      withScene(redis.url, async (scene) => {
        const before = scene.ears.doubts;
        redis.pause();
        await Promise.all([expectRefusals(scene), refused(scene.other.engine.ping())]);
        redis.resume();
        await scene.ears.doubtsOnceMore(before);
      }));
  });
}

function dead(): void {
  describe('Redis that dies and comes back with nothing', () => {
    it('refuses in time and then at once, and all is well after it is back', () =>
      withScene(redis.url, async (scene) => {
        await redis.kill();
        await expectRefusals(scene);
        await redis.restart();
        await scene.one.answers();
        await scene.other.answers();
        expect(await scene.one.store.find(scene.ticket.id)).to.equal(undefined);
        await expectAllWell(scene);
      }));

    it('is told again who watches: a change is heard by those who watched before', () =>
      withScene(redis.url, async (scene) => {
        const { one, other, ears, ticket } = scene;
        const before = ears.doubts;
        await redis.restart();
        await Promise.all([one.answers(), other.answers()]);
        await ears.doubtsOnceMore(before);
        await eventually('the note is there', async () => `${await redis.command('KEYS', '*:watchers:*')}`.length > 0);
        // Redis may know who watches before the connection that hears is back: what is published in between is lost.
        await eventually('both have subscribed again', async () => (await channels()).length === 2);
        const heard = ears.heard.length;
        await one.store.create(ticket);
        await ears.hears(heard + 1);
        expect(ears.last).to.deep.equal(ticket);
      }));

    it('leaves each process with the two connections that it had, however often it dies', () =>
      withScene(redis.url, async (scene) => {
        for (let time = 0; time < RESTARTS; time++) {
          await redis.restart();
          await Promise.all([scene.one.answers(), scene.other.answers()]);
        }
        await expectAllWell(scene);
        await eventually('two each, and the one that asks', async () => (await connections()).length === 5);
      }));

    it('is not there at first: refused in time, and all is well once it is there', async () => {
      const port = await freePort(LOOPBACK);
      const url = `redis://${LOOPBACK}:${port}`;
      const [one, other] = [new RedisProcess(url), new RedisProcess(url)];
      const ticket = newTicket();
      const ears = new Ears(other.signals, ticket.interaction);
      await expectRefusals({ one, other, ticket, ears });
      expect(one.engine.hearsOthers()).to.equal(false);
      const late = await RedisServer.start({ port });
      try {
        await Promise.all([one.answers(), other.answers()]);
        await expectAllWell({ one, other, ticket, ears });
        await one.store.create(ticket);
        await ears.hears(1);
      } finally {
        await Promise.all([one.close(), other.close()]);
        await late.stop();
      }
    });

    it('is never there: closing ends all the same', () =>
      whileStoresMayTake(SHORT, async () => {
        const process = new RedisProcess(`redis://${LOOPBACK}:${await freePort(LOOPBACK)}`);
        await refused(process.engine.ping());
        await process.close();
      }));
  });
}

function badNetwork(): void {
  describe('a network between the processes and Redis', () => {
    it('that is a black hole for a while: refused in time, then at once; all is well after that', async () => {
      const proxy = await TcpProxy.start(redis.port);
      await withScene(`redis://${LOOPBACK}:${proxy.port}`, async (scene) => {
        proxy.freeze();
        await expectRefusals(scene);
        await proxy.heal();
        await scene.one.answers();
        await scene.other.answers();
        await expectAllWell(scene);
      });
      await proxy.stop();
    });

    it('that forgets its connections: new ones are made, and all is well', async () => {
      const wires = await Wires.start(redis.port);
      await withScene(
        wires.url,
        async (scene) => {
          wires.die();
          await expectRefusals(scene);
          await whileStoresMayTake(TIGHT, () => Promise.all([scene.one.answers(), scene.other.answers()]));
          await expectAllWell(scene);
          await scene.ears.doubtsOnceMore(0);
        },
        { starting: TIGHT },
      );
      await wires.stop();
    });

    it('that accepts connections and leads them nowhere: given up in the middle of the greeting, and all is well', async () => {
      const wires = await Wires.start(redis.port);
      await withScene(
        wires.url,
        async (scene) => {
          wires.leadNowhere();
          await expectRefusals(scene);
          await eventually('both are at their greeting', () => wires.lost >= 2);
          // Its first connection is no other than the next ones.
          const late = new RedisProcess(wires.url);
          await whileStoresMayTake(TIGHT, async () => {
            await refused(late.engine.ping());
            wires.leadThere();
            await Promise.all([scene.one, scene.other, late].map((process) => process.answers()));
            await Promise.all([scene.other, late].map((process) => process.listens()));
          });
          await expectAllWell(scene);
          await late.close();
        },
        { starting: TIGHT },
      );
      await wires.stop();
    });

    it('that is cut and mended: refused in time, and all is well after that', async () => {
      const proxy = await TcpProxy.start(redis.port);
      await withScene(`redis://${LOOPBACK}:${proxy.port}`, async (scene) => {
        await proxy.cut();
        await expectRefusals(scene);
        await proxy.heal();
        await Promise.all([scene.one.answers(), scene.other.answers()]);
        await expectAllWell(scene);
      });
      await proxy.stop();
    });

    it('that is cut while commands are on their way: no command gets the answer to another one, and all is well', async () => {
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
        await one.answers();
        busy = false;
        await work;
        await one.close();
        await proxy.stop();
      }
      expect(wrong).to.deep.equal([]);
    });

    it('that is slow by 300 ms: all goes its way', async () => {
      const proxy = await TcpProxy.start(redis.port);
      await withScene(`redis://${LOOPBACK}:${proxy.port}`, async (scene) => {
        proxy.latency = 300;
        await expectAllWell(scene);
      });
      await proxy.stop();
    });
  });
}

function listening(): void {
  describe('the connection on which a process hears', () => {
    async function subscribers(): Promise<string[]> {
      const addresses = (await connections()).map((line) =>
        / sub=1 /.test(line) ? / addr=(\S+)/.exec(line)?.[1] : '',
      );
      return addresses.filter((address): address is string => Boolean(address));
    }

    it('that is killed: those who watch read again, and hear the next change', () =>
      withScene(redis.url, async ({ one, ears, ticket }) => {
        const [before, heard] = [ears.doubts, ears.heard.length];
        await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
        await ears.doubtsOnceMore(before);
        await one.store.swap(ticket, changed(ticket));
        await ears.hears(heard + 1);
        expect(ears.last).to.deep.equal(changed(ticket));
      }));

    it('that goes deaf without a word is found out, and another one made; no command fails meanwhile', async () => {
      const wires = await Wires.start(redis.port);
      await withScene(
        wires.url,
        async ({ one, other, ears, ticket }) => {
          const [before, heard] = [ears.doubts, ears.heard.length];
          // Those of an earlier test may not have left yet.
          await eventually('two subscribe', async () => (await subscribers()).length === 2);
          const deaf = new Set(await subscribers());
          wires.die((address) => deaf.has(address));
          await other.store.find(ticket.id);
          await whileStoresMayTake(TIGHT, () => ears.doubtsOnceMore(before));
          await one.store.swap(ticket, changed(ticket));
          await ears.hears(heard + 1);
          expect(other.troubles).to.deep.equal([]);
        },
        { starting: TIGHT },
      );
      await wires.stop();
    });
  });
}

function watching(): void {
  describe('somebody who comes to watch', () => {
    it('while Redis has no memory for a note of it hears of changes soon after it has', () =>
      withScene(redis.url, async ({ one, other }) => {
        const ticket = newTicket();
        await redis.command('CONFIG', 'SET', 'maxmemory', '1');
        const ears = new Ears(other.signals, ticket.interaction);
        await other.store.find(ticket.id);
        await redis.command('CONFIG', 'SET', 'maxmemory', '0');
        const note = `*:watchers:${ticket.interaction}`;
        await eventually('the note is there', async () => `${await redis.command('KEYS', note)}` !== '');
        await one.store.create(ticket);
        await ears.hears(1);
      }));

    it('just when Redis has forgotten the scripts hears of the change that comes right after the read', () =>
      withScene(redis.url, async ({ one, other }) => {
        for (let round = 0; round < 20; round++) {
          const ticket = newTicket();
          await redis.command('SCRIPT', 'FLUSH');
          const ears = new Ears(other.signals, ticket.interaction);
          await other.store.findByInteraction(ticket.interaction);
          await one.store.create(ticket);
          await eventually('hears or doubts', () => ears.heard.length + ears.doubts > 0);
        }
      }));
  });
}
