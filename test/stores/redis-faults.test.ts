import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { QrLoginError } from '../../src/ticket/errors.ts';
import type { Ticket } from '../../src/ticket/ticket.ts';
import { RedisServer } from '../support/redis.ts';
import { freePort, LOOPBACK } from '../support/server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { refused } from '../ticket/builders.ts';
import { Ears } from './ears.ts';
import { eventually, timeOf } from './eventually.ts';
import { RedisProcess, startProcess } from './redis-process.ts';
import { changed, newTicket } from './tickets.ts';
import { Wires } from './wires.ts';

/** In milliseconds: whoever waits for a store in vain hears so by then, and whoever comes after that at once. */
const SOON = 1_500;
const AT_ONCE = 50;

let redis: RedisServer;

beforeEach(async () => {
  redis = await RedisServer.start();
});

afterEach(() => redis.stop());

/** One that writes and one that watches the ticket, in another process. */
interface Scene {
  readonly one: RedisProcess;
  readonly other: RedisProcess;
  readonly ticket: Ticket;
  readonly ears: Ears;
}

async function withScene(url: string, act: (scene: Scene) => Promise<void>): Promise<void> {
  const [one, other] = await Promise.all([startProcess(url), startProcess(url)]);
  try {
    const ticket = newTicket();
    const ears = new Ears(other.signals, ticket.interaction);
    await other.store.find(ticket.id);
    await one.store.create(ticket);
    await ears.hears(1);
    await act({ one, other, ticket, ears });
  } finally {
    await Promise.all([one.close(), other.close()]);
  }
}

/** Everything is refused: the first in time, the next at once. */
async function expectRefusals({ one, ticket }: Scene): Promise<void> {
  const first = one.store.swap(ticket, changed(ticket));
  expect(await timeOf(first)).to.be.lessThan(SOON);
  expect((await refused(first)).code).to.equal('store_unavailable');
  const acts = [
    () => one.store.find(ticket.id),
    () => one.store.findByInteraction(ticket.interaction),
    () => one.store.create(newTicket()),
    () => one.store.swap(ticket, changed(ticket)),
    () => one.engine.ping(),
  ];
  for (const act of acts) {
    const work = act();
    expect(await timeOf(work)).to.be.lessThan(AT_ONCE);
    expect((await refused(work)).code).to.equal('store_unavailable');
  }
}

/** A new ticket goes its way, and the other process hears of it, or that it has to read. */
async function expectAllWell({ one, other }: Scene, patience?: number): Promise<void> {
  await other.listens(patience);
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

describe('Redis that is stopped and continued', () => {
  it('refuses in time and then at once, and all is well right after it goes on', () =>
    withScene(redis.url, async (scene) => {
      redis.pause();
      await expectRefusals(scene);
      redis.resume();
      expect(await scene.one.answers(500)).to.be.lessThan(500);
      expect(await scene.other.answers(1_000)).to.be.lessThan(1_000);
      await expectAllWell(scene);
    }));

  it('makes those who watch read again when it goes on', () =>
    withScene(redis.url, async (scene) => {
      const before = scene.ears.doubts;
      redis.pause();
      await Promise.all([expectRefusals(scene), refused(scene.other.engine.ping())]);
      redis.resume();
      await scene.ears.doubtsOnceMore(before, 2_000);
    }));
});

describe('Redis that dies and comes back with nothing', () => {
  it('refuses in time and then at once, and all is well after it is back', () =>
    withScene(redis.url, async (scene) => {
      await redis.kill();
      await expectRefusals(scene);
      await redis.restart();
      await scene.one.answers(4_000);
      await scene.other.answers(4_000);
      expect(await scene.one.store.find(scene.ticket.id)).to.equal(undefined);
      await expectAllWell(scene);
    }));

  it('is told again who watches: a change is heard by those who watched before', () =>
    withScene(redis.url, async (scene) => {
      const { one, other, ears, ticket } = scene;
      const before = ears.doubts;
      await redis.restart();
      await Promise.all([one.answers(4_000), other.answers(4_000)]);
      await ears.doubtsOnceMore(before);
      await eventually('the note is there', async () => `${await redis.command('KEYS', '*:watchers:*')}`.length > 0);
      const heard = ears.heard.length;
      await one.store.create(ticket);
      await ears.hears(heard + 1);
      expect(ears.last).to.deep.equal(ticket);
    }));

  it('leaves each process with the two connections that it had, however often it dies', () =>
    withScene(redis.url, async (scene) => {
      for (let time = 0; time < 3; time++) {
        await redis.restart();
        await Promise.all([scene.one.answers(4_000), scene.other.answers(4_000)]);
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
      await Promise.all([one.answers(4_000), other.answers(4_000)]);
      await expectAllWell({ one, other, ticket, ears }, 4_000);
      await one.store.create(ticket);
      await ears.hears(1);
    } finally {
      await Promise.all([one.close(), other.close()]);
      await late.stop();
    }
  });

  it('is never there: closing takes no time', async () => {
    const process = new RedisProcess(`redis://${LOOPBACK}:${await freePort(LOOPBACK)}`);
    await refused(process.engine.ping());
    expect(await timeOf(process.close())).to.be.lessThan(SOON);
  });
});

describe('a network between the processes and Redis', () => {
  it('that is a black hole for a while: refused in time, then at once; all is well after that', async () => {
    const proxy = await TcpProxy.start(redis.port);
    await withScene(`redis://${LOOPBACK}:${proxy.port}`, async (scene) => {
      proxy.freeze();
      await expectRefusals(scene);
      await proxy.heal();
      expect(await scene.one.answers(500)).to.be.lessThan(500);
      await scene.other.answers();
      await expectAllWell(scene);
    });
    await proxy.stop();
  });

  it('that forgets its connections: new ones are made, and all is well', async () => {
    const wires = await Wires.start(redis.port);
    await withScene(wires.url, async (scene) => {
      wires.die();
      await expectRefusals(scene);
      await Promise.all([scene.one.answers(8_000), scene.other.answers(8_000)]);
      await expectAllWell(scene);
      await scene.ears.doubtsOnceMore(0);
    });
    await wires.stop();
  });

  it('that accepts connections and leads them nowhere: given up in the middle of the greeting, and all is well', async () => {
    const wires = await Wires.start(redis.port);
    await withScene(wires.url, async (scene) => {
      wires.leadNowhere();
      await expectRefusals(scene);
      await eventually('both are at their greeting', () => wires.lost >= 2);
      // Its first connection is no other than the next ones.
      const late = new RedisProcess(wires.url);
      await refused(late.engine.ping());
      wires.leadThere();
      await Promise.all([scene.one, scene.other, late].map((process) => process.answers(8_000)));
      await expectAllWell(scene);
      await late.listens();
      await late.close();
    });
    await wires.stop();
  });

  it('that is cut and mended: refused in time, and all is well after that', async () => {
    const proxy = await TcpProxy.start(redis.port);
    await withScene(`redis://${LOOPBACK}:${proxy.port}`, async (scene) => {
      await proxy.cut();
      await expectRefusals(scene);
      await proxy.heal();
      await Promise.all([scene.one.answers(4_000), scene.other.answers(4_000)]);
      await expectAllWell(scene);
    });
    await proxy.stop();
  });

  it('that is cut while commands are on their way: no command gets the answer to another one, and all is well', async () => {
    const wrong: unknown[] = [];
    for (let round = 0; round < 4; round++) {
      const proxy = await TcpProxy.start(redis.port);
      const one = await startProcess(`redis://${LOOPBACK}:${proxy.port}`);
      let busy = true;
      const work = (async () => {
        while (busy) {
          one.store.find(newTicket().id).then(
            (ticket) => ticket !== undefined && wrong.push(ticket),
            (error: unknown) => !(error instanceof QrLoginError) && wrong.push(error),
          );
          await new Promise((resolve) => setImmediate(resolve));
        }
      })();
      await pause(20);
      await proxy.cut();
      await proxy.heal();
      await one.answers(3_000);
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

describe('the connection on which a process hears', () => {
  async function subscribers(): Promise<string[]> {
    const addresses = (await connections()).map((line) => (/ sub=1 /.test(line) ? / addr=(\S+)/.exec(line)?.[1] : ''));
    return addresses.filter((address): address is string => Boolean(address));
  }

  it('that is killed: those who watch read again, and hear the next change', () =>
    withScene(redis.url, async ({ one, ears, ticket }) => {
      const [before, heard] = [ears.doubts, ears.heard.length];
      await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
      expect(await ears.doubtsOnceMore(before, 2_000)).to.be.lessThan(2_000);
      await one.store.swap(ticket, changed(ticket));
      await ears.hears(heard + 1);
      expect(ears.last).to.deep.equal(changed(ticket));
    }));

  it('that goes deaf without a word is found out, and another one made; no command fails meanwhile', async () => {
    const wires = await Wires.start(redis.port);
    await withScene(wires.url, async ({ one, other, ears, ticket }) => {
      const [before, heard] = [ears.doubts, ears.heard.length];
      const deaf = new Set(await subscribers());
      expect(deaf.size).to.equal(2);
      wires.die((address) => deaf.has(address));
      await other.store.find(ticket.id);
      expect(await ears.doubtsOnceMore(before, 9_000)).to.be.lessThan(9_000);
      await one.store.swap(ticket, changed(ticket));
      await ears.hears(heard + 1);
      expect(other.troubles).to.deep.equal([]);
    });
    await wires.stop();
  });
});

describe('somebody who comes to watch', () => {
  it('while Redis has no memory for a note of it hears of changes soon after it has', () =>
    withScene(redis.url, async ({ one, other }) => {
      const ticket = newTicket();
      await redis.command('CONFIG', 'SET', 'maxmemory', '1');
      const ears = new Ears(other.signals, ticket.interaction);
      await other.store.find(ticket.id);
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
      await pause(2_000);
      await one.store.create(ticket);
      await ears.hears(1, 1_000);
    }));

  it('just when Redis has forgotten the scripts hears of the change that comes right after the read', () =>
    withScene(redis.url, async ({ one, other }) => {
      for (let round = 0; round < 20; round++) {
        const ticket = newTicket();
        await redis.command('SCRIPT', 'FLUSH');
        const ears = new Ears(other.signals, ticket.interaction);
        await other.store.findByInteraction(ticket.interaction);
        await one.store.create(ticket);
        await eventually('hears or doubts', () => ears.heard.length + ears.doubts > 0, 500);
      }
    }));
});
