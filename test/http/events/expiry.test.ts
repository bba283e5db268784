import { expect } from 'chai';
import { QrLoginError, type TicketEvent } from '../../../src/index.ts';
import { GENEROUS, SHORT, storesMayTake, whileStoresMayTake } from '../../stores/patience.ts';
import type { Answer } from '../../support/agent.ts';
import { networkTo } from '../../support/balancer.ts';
import { traceIn } from '../../support/codes.ts';
import { Elsewhere } from '../../support/elsewhere.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { until } from '../../support/until.ts';
import { BrowserPerson, PhonePerson, World, type WorldOptions } from '../../support/world.ts';

/** Two people at one sign-in. */
interface Couple {
  readonly browser: BrowserPerson;
  readonly phone: PhonePerson;
}

/** What is done with a ticket, and whether it still expires. */
const ROADS: Record<string, (couple: Couple) => Promise<unknown>> = {
  waiting: async () => undefined,
  scanned: async ({ browser, phone }) => phone.scan(await browser.code()),
  approved: async (couple) => {
    await ROADS.scanned?.(couple);
    await couple.phone.approve();
  },
  denied: async (couple) => {
    await ROADS.scanned?.(couple);
    await couple.phone.deny();
  },
  finished: async (couple) => {
    await ROADS.approved?.(couple);
    await couple.browser.finish();
  },
  cancelled: ({ browser }) => browser.agent.post(`${browser.at}/cancel`, { json: {} }),
};

const ACCOUNTS: Record<string, string | undefined> = { waiting: undefined, scanned: 'a11ce', approved: 'a11ce' };

/** A ticket is looked at so often that it is seen in its shortest state: here one that it never gets into. */
const LOOKED_AT_OFTEN: WorldOptions = { qrLogin: { deadlines: { finish: 1 } } };

describe('a ticket that nobody ends', () => {
  it('is told to have expired once, in every live state, with the account where there is one', async () => {
    await World.during({}, async (world) => {
      const expired = listen(world);
      const tickets = await begin(world, Object.keys(ACCOUNTS));
      world.clock.forward(121);
      await until(() => expired.length === 3);
      // What comes later is told later: nothing is told twice.
      await begin(world, ['waiting']);
      world.clock.forward(121);
      await until(() => expired.length === 4);
      for (const [state, ticket] of tickets) {
        const told = expired.filter(({ event }) => event.ticket === ticket);
        expect(told, state).to.have.length(1);
        const accountId = ACCOUNTS[state];
        expect(told[0], state).to.deep.equal({
          ctx: undefined,
          event: { ticket, clientId: 'test-rp', browserFrom: '127.0.0.1', ...(accountId && { accountId }) },
        });
      }
    });
  });

  it('is told where the interaction ends before the ticket', async () => {
    await World.during({ ...endingSoon(60), ...LOOKED_AT_OFTEN }, async (world) => {
      const expired = listen(world);
      const tickets = await begin(world, ['waiting']);
      world.clock.forward(61);
      await until(() => expired.length === 1);
      expect(expired[0]?.event.ticket).to.equal(tickets.get('waiting'));
    });
  });

  it('is told although the page has shown another one since', async () => {
    await World.during(LOOKED_AT_OFTEN, async (world) => {
      const expired = listen(world);
      const cancelled = world.told('qr_login.cancelled');
      const browser = new BrowserPerson(world);
      await browser.start();
      const stream = await browser.events();
      const { version } = await stream.ticket('waiting');
      const first = traceIn(await browser.code());
      world.clock.forward(121);
      await stream.ticket('expired');
      // As the page does it by itself.
      await browser.agent.post(`${browser.at}/qr/renew`, { json: { version: `${version}` } });
      const second = traceIn(await browser.code());
      stream.close();
      await until(() => expired.length === 1);
      world.clock.forward(121);
      await until(() => expired.length === 2);
      expect(expired.map(({ event }) => event.ticket)).to.deep.equal([first, second]);
      expect(cancelled).to.deep.equal([]);
    });
  });

  it('is told once the store is back, where that was out of reach at the time', async () => {
    const { store, elsewhere } = Elsewhere.keyv();
    await World.during({ store, ...LOOKED_AT_OFTEN }, async (world) => {
      const expired = listen(world);
      await begin(world, ['waiting']);
      let asked = 0;
      elsewhere.before = async () => {
        asked += 1;
        throw new Error('the disk is gone');
      };
      world.clock.forward(121);
      await until(() => asked >= 1);
      expect(expired).to.have.length(0);
      elsewhere.before = async () => undefined;
      await until(() => expired.length === 1);
    });
  });
});

describe('a ticket that somebody has ended', () => {
  it('is never told to have expired', async () => {
    await World.during({}, async (world) => {
      const expired = listen(world);
      await begin(world, ['denied', 'finished', 'cancelled']);
      const renewed = (await world.meet()).browser;
      await renewed.agent.post(`${renewed.at}/qr/renew`, { json: {} });
      await ROADS.cancelled?.({ browser: renewed, phone: new PhonePerson(world) });
      world.clock.forward(121);
      const last = await begin(world, ['waiting']);
      world.clock.forward(121);
      await until(() => expired.length > 0);
      expect(expired.map(({ event }) => event.ticket)).to.deep.equal([...last.values()]);
    });
  });
});

describe('the tickets of two nodes', () => {
  storesMayTake(GENEROUS);

  let one: RedisWorld;
  let two: RedisWorld;

  const start = async (options: WorldOptions): Promise<void> => {
    one = await RedisWorld.start({ proxy: true, ...options });
    two = await RedisWorld.start({ proxy: true, ...options, issuer: one.world.issuer }, one.redis);
    await one.isUp();
    await two.isUp();
  };

  afterEach(async () => {
    await two?.leave();
    await one?.stop();
  });

  it('are told to have expired by the node that has shown them, whatever became of them at the other', async () => {
    await start({ qrLogin: { deadlines: { scan: 3, decide: 3, finish: 3 } } });
    const here = listen(one.world);
    const there = listen(two.world);
    const phone = await phoneAt(one, two);
    const tickets = new Map<string, string>();
    for (const state of Object.keys(ROADS)) {
      const browser = await browserAt(one, two);
      tickets.set(state, traceIn(await browser.code()));
      await ROADS[state]?.({ browser, phone });
    }
    const renewed = await browserAt(one, two);
    tickets.set('renewed', traceIn(await renewed.code()));
    await renewed.agent.post(`${renewed.at}/qr/renew`, { json: {} });
    const newer = traceIn(await renewed.code());

    // What is shown last is told last.
    const last = await browserAt(one, two);
    const lastOne = traceIn(await last.code());
    await until(() => here.some(({ event }) => event.ticket === lastOne));
    await until(() => here.length >= 4 && there.length >= 1);

    const told = here.filter(({ event }) => event.ticket !== lastOne);
    expect(told.map(({ event }) => stateOf(tickets, event))).to.have.members(['waiting', 'scanned', 'approved']);
    for (const { ctx, event } of told) {
      expect(ctx).to.equal(undefined);
      expect(event.accountId).to.equal(ACCOUNTS[stateOf(tickets, event) ?? '']);
    }
    expect(there.map(({ event }) => event.ticket)).to.deep.equal([newer]);
  });

  it('are not told to have expired where the other node has ended them, with short deadlines', async () => {
    await start({ qrLogin: { deadlines: { scan: 2, decide: 2, finish: 2 } } });
    const here = listen(one.world);
    const ended = two.world.told('qr_login.cancelled') as TicketEvent[];
    // One after the other, as each of them may meet another moment of what looks at them.
    for (let shown = 0; shown < 12; shown++) {
      const browser = await browserAt(one, two);
      await ROADS.cancelled?.({ browser, phone: new PhonePerson(two.world) });
    }
    // A node that is held up for as long as a ticket lasts does not know what has become of it, and tells nothing: so there is another.
    const left: string[] = [];
    const isTold = (): boolean => here.some(({ event }) => left.includes(event.ticket));
    while (!isTold()) {
      left.push(traceIn(await (await browserAt(one, two)).code()));
      await until(isTold, 10_000).catch(() => undefined);
    }
    expect(ended).to.have.length.of.at.least(1);
    const told = here.map(({ event }) => event.ticket);
    expect(ended.map(({ ticket }) => ticket).filter((ticket) => told.includes(ticket))).to.deep.equal([]);
  });
});

describe('a sign-in whose ticket was written late', () => {
  storesMayTake(GENEROUS);

  it('is told to have finished once, to whoever asks again', async () => {
    await RedisWorld.during({}, async (there) => {
      const finished = there.world.count('qr_login.finished');
      const { browser, phone } = await there.world.meet();
      await ROADS.approved?.({ browser, phone });
      there.pauseAt(({ keys }) => keys.some((key) => key.includes(':ticket:')));
      expect((await browser.finish()).status).to.equal(503);
      await there.resume();
      expect((await browser.finish()).status).to.equal(200);
      expect((await browser.finish()).status).to.equal(200);
      expect(finished()).to.equal(1);
    });
  });
});

describe('trouble with the store while nobody asks', () => {
  storesMayTake(GENEROUS);

  it('is told without a context', async () => {
    await RedisWorld.during({}, async ({ redis, world }) => {
      await until(async () => (await world.qr.health()).ok);
      const failed = new Promise<unknown[]>((resolve) => {
        world.provider.once('qr_login.failed' as never, ((...seen: unknown[]) => resolve(seen)) as never);
      });
      await redis.kill();
      const [ctx, error] = await failed;
      expect(ctx).to.equal(undefined);
      expect(error).to.be.instanceOf(QrLoginError).and.to.include({ code: 'store_unavailable' });
      expect((error as Error).cause).to.be.instanceOf(Error);
      await redis.restart();
    });
  });

  it('is told once for each time that the store is out of reach', async () => {
    await RedisWorld.during({}, async (there) => {
      const { redis, world } = there;
      await there.isUp();
      const failed = world.count('qr_login.failed');
      for (const times of [1, 2]) {
        await redis.kill();
        // The first one waits in vain, while it is tried again and again.
        await whileStoresMayTake(SHORT, async () => {
          for (let asked = 0; asked < 3; asked++) expect((await world.qr.health()).ok).to.equal(false);
        });
        expect(failed()).to.equal(times);
        await redis.restart();
        await there.isUp();
      }
    });
  });
});

describe('a listener that takes a context for granted and so throws where there is none', () => {
  storesMayTake(GENEROUS);

  it('is warned of where trouble with the store is told, and all goes on', async () => {
    await RedisWorld.during({}, async (there) => {
      await there.isUp();
      const warned = throwAt(there.world, 'qr_login.failed');
      await there.redis.kill();
      await warned;
      await there.redis.restart();
      await there.isUp();
      expect((await signIn(there.world)).status).to.equal(200);
    });
  });

  it('is warned of where a ticket expires, and all goes on', async () => {
    await World.during(LOOKED_AT_OFTEN, async (world) => {
      const expired = listen(world);
      for (const times of [1, 2]) {
        const warned = throwAt(world, 'qr_login.expired');
        await begin(world, ['waiting']);
        world.clock.forward(121);
        await warned;
        expect(expired).to.have.length(times);
      }
    });
  });

  it('is warned of where a ticket was written late, and all goes on', async () => {
    await RedisWorld.during({}, async (there) => {
      const { browser, phone } = await there.world.meet();
      await ROADS.approved?.({ browser, phone });
      const warned = throwAt(there.world, 'qr_login.finished');
      there.pauseAt(({ keys }) => keys.some((key) => key.includes(':ticket:')));
      expect((await browser.finish()).status).to.equal(503);
      await there.resume();
      await warned;
      expect((await browser.finish()).status).to.equal(200);
    });
  });
});

interface Told {
  readonly ctx: unknown;
  readonly event: TicketEvent;
}

/** What expires from now on. */
function listen({ provider }: World): Told[] {
  const told: Told[] = [];
  const listener = (ctx: unknown, event: TicketEvent): unknown => told.push({ ctx, event });
  provider.on('qr_login.expired' as never, listener as never);
  return told;
}

/** The next such event meets a listener that throws. @returns what resolves once the process is warned of that */
function throwAt({ provider }: World, name: string): Promise<void> {
  const mistake = new TypeError('there is no context');
  const warned = new Promise<void>((resolve) => {
    const listener = (warning: Error): void => {
      if (warning !== mistake) return;
      process.off('warning', listener);
      resolve();
    };
    process.on('warning', listener);
  });
  const listener = (ctx: unknown): void => {
    if (ctx === undefined) throw mistake;
  };
  provider.once(name as never, listener as never);
  return warned;
}

/** A whole sign-in. @returns the answer to the browser that finishes it */
async function signIn(world: World): Promise<Answer> {
  const { browser, phone } = await world.meet();
  await ROADS.approved?.({ browser, phone });
  return browser.finish();
}

/** Brings a ticket into each of these states. @returns what events call them */
async function begin(world: World, states: string[]): Promise<Map<string, string>> {
  const phone = await new PhonePerson(world).signIn();
  const tickets = new Map<string, string>();
  await Promise.all(
    states.map(async (state) => {
      const browser = new BrowserPerson(world);
      await browser.start();
      tickets.set(state, traceIn(await browser.code()));
      const own = Object.assign(new PhonePerson(world), { agent: phone.agent });
      await ROADS[state]?.({ browser, phone: own });
    }),
  );
  return tickets;
}

function stateOf(tickets: Map<string, string>, { ticket }: TicketEvent): string | undefined {
  return [...tickets].find(([, trace]) => trace === ticket)?.[0];
}

/** An interaction that lasts that many seconds. */
function endingSoon(seconds: number): WorldOptions {
  return {
    configuration: { ttl: { Interaction: seconds, Session: 3600, Grant: 3600, AccessToken: 600, IdToken: 600 } },
  };
}

/** Starts at one node, and goes on at the other. */
async function browserAt(first: RedisWorld, second: RedisWorld): Promise<BrowserPerson> {
  let network = networkTo(first.world, first.world.issuer);
  const browser = new BrowserPerson(first.world, {}, (input, init) => network(input, init));
  await browser.start();
  network = networkTo(second.world, first.world.issuer);
  return browser;
}

async function phoneAt(first: RedisWorld, second: RedisWorld): Promise<PhonePerson> {
  return new PhonePerson(first.world, {}, networkTo(second.world, first.world.issuer)).signIn();
}
