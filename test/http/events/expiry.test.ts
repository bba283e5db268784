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

/** The browser and the phone of one sign-in. */
interface Couple {
  readonly browser: BrowserPerson;
  readonly phone: PhonePerson;
}

/** The steps that bring a ticket into each state. */
const STEPS: Record<string, (couple: Couple) => Promise<unknown>> = {
  waiting: async () => undefined,
  scanned: async ({ browser, phone }) => phone.scan(await browser.code()),
  approved: async (couple) => {
    await STEPS.scanned?.(couple);
    await couple.phone.approve();
  },
  denied: async (couple) => {
    await STEPS.scanned?.(couple);
    await couple.phone.deny();
  },
  finished: async (couple) => {
    await STEPS.approved?.(couple);
    await couple.browser.finish();
  },
  cancelled: ({ browser }) => browser.agent.post(`${browser.at}/cancel`, { json: {} }),
};

const ACCOUNTS: Record<string, string | undefined> = { waiting: undefined, scanned: 'a11ce', approved: 'a11ce' };

/**
 * The plugin checks its tickets several times within the shortest lifetime of a state. The tickets of these tests never
 * enter the state with this lifetime, so it only makes the checks frequent.
 */
const CHECKED_OFTEN: WorldOptions = { qrLogin: { deadlines: { finish: 1 } } };

describe('a ticket that is left alone', () => {
  it('is announced as expired once, from every live state, with the account if there is one', async () => {
    await World.during({}, async (world) => {
      const expired = collectExpired(world);
      const tickets = await bringInto(world, Object.keys(ACCOUNTS));
      world.clock.forward(121);
      await until(() => expired.length === 3);
      // A later ticket is announced later: by then a second announcement of the first ones would have arrived, too.
      await bringInto(world, ['waiting']);
      world.clock.forward(121);
      await until(() => expired.length === 4);
      for (const [state, ticket] of tickets) {
        const announced = expired.filter(({ event }) => event.ticket === ticket);
        expect(announced, state).to.have.length(1);
        const accountId = ACCOUNTS[state];
        expect(announced[0], state).to.deep.equal({
          ctx: undefined,
          event: { ticket, clientId: 'test-rp', browserFrom: '127.0.0.1', ...(accountId && { accountId }) },
        });
      }
    });
  });

  it('is announced as expired if the interaction ends before the ticket', async () => {
    await World.during({ ...shortInteractions(60), ...CHECKED_OFTEN }, async (world) => {
      const expired = collectExpired(world);
      const tickets = await bringInto(world, ['waiting']);
      world.clock.forward(61);
      await until(() => expired.length === 1);
      expect(expired[0]?.event.ticket).to.equal(tickets.get('waiting'));
    });
  });

  it('is announced as expired even if the page has shown a new ticket meanwhile', async () => {
    await World.during(CHECKED_OFTEN, async (world) => {
      const expired = collectExpired(world);
      const cancelled = world.collectPayloads('qr_login.cancelled');
      const browser = new BrowserPerson(world);
      await browser.start();
      const stream = await browser.events();
      const { version } = await stream.ticket('waiting');
      const first = traceIn(await browser.code());
      world.clock.forward(121);
      await stream.ticket('expired');
      // The script of the page sends the same request.
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

  it('is announced as expired once the store is back, if the store could not be reached at the deadline', async () => {
    const { store, elsewhere } = Elsewhere.keyv();
    await World.during({ store, ...CHECKED_OFTEN }, async (world) => {
      const expired = collectExpired(world);
      await bringInto(world, ['waiting']);
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

describe('a ticket that was denied, finished, cancelled or renewed', () => {
  it('is never announced as expired', async () => {
    await World.during({}, async (world) => {
      const expired = collectExpired(world);
      await bringInto(world, ['denied', 'finished', 'cancelled']);
      const renewed = (await world.meet()).browser;
      await renewed.agent.post(`${renewed.at}/qr/renew`, { json: {} });
      await STEPS.cancelled?.({ browser: renewed, phone: new PhonePerson(world) });
      world.clock.forward(121);
      const last = await bringInto(world, ['waiting']);
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
    await one.untilUp();
    await two.untilUp();
  };

  afterEach(async () => {
    await two?.leave();
    await one?.stop();
  });

  it('are announced as expired by the node that showed them, unless the other node has ended them', async () => {
    await start({ qrLogin: { deadlines: { scan: 3, decide: 3, finish: 3 } } });
    const here = collectExpired(one.world);
    const there = collectExpired(two.world);
    const phone = await phoneAt(one, two);
    const tickets = new Map<string, string>();
    for (const state of Object.keys(STEPS)) {
      const browser = await browserAt(one, two);
      tickets.set(state, traceIn(await browser.code()));
      await STEPS[state]?.({ browser, phone });
    }
    const renewed = await browserAt(one, two);
    tickets.set('renewed', traceIn(await renewed.code()));
    await renewed.agent.post(`${renewed.at}/qr/renew`, { json: {} });
    const newer = traceIn(await renewed.code());

    // The ticket that is shown last is announced last.
    const last = await browserAt(one, two);
    const lastOne = traceIn(await last.code());
    await until(() => here.some(({ event }) => event.ticket === lastOne));
    await until(() => here.length >= 4 && there.length >= 1);

    const announced = here.filter(({ event }) => event.ticket !== lastOne);
    expect(announced.map(({ event }) => stateOf(tickets, event))).to.have.members(['waiting', 'scanned', 'approved']);
    for (const { ctx, event } of announced) {
      expect(ctx).to.equal(undefined);
      expect(event.accountId).to.equal(ACCOUNTS[stateOf(tickets, event) ?? '']);
    }
    expect(there.map(({ event }) => event.ticket)).to.deep.equal([newer]);
  });

  it('are not announced as expired if the other node has ended them, even with short deadlines', async () => {
    await start({ qrLogin: { deadlines: { scan: 2, decide: 2, finish: 2 } } });
    const here = collectExpired(one.world);
    const ended = two.world.collectPayloads('qr_login.cancelled') as TicketEvent[];
    // Start them one after the other, so that the tickets end at different moments between two checks.
    for (let shown = 0; shown < 12; shown++) {
      const browser = await browserAt(one, two);
      await STEPS.cancelled?.({ browser, phone: new PhonePerson(two.world) });
    }
    // A node that is blocked for the lifetime of a ticket does not learn how the ticket ended, and announces nothing.
    // In that case, try another ticket.
    const left: string[] = [];
    const isAnnounced = (): boolean => here.some(({ event }) => left.includes(event.ticket));
    while (!isAnnounced()) {
      left.push(traceIn(await (await browserAt(one, two)).code()));
      await until(isAnnounced, 10_000).catch(() => undefined);
    }
    expect(ended).to.have.length.of.at.least(1);
    const announced = here.map(({ event }) => event.ticket);
    expect(ended.map(({ ticket }) => ticket).filter((ticket) => announced.includes(ticket))).to.deep.equal([]);
  });
});

describe('a sign-in whose ticket is written only after the finish request has failed', () => {
  storesMayTake(GENEROUS);

  it('is announced as finished once, even if the browser finishes again', async () => {
    await RedisWorld.during({}, async (there) => {
      const finished = there.world.count('qr_login.finished');
      const { browser, phone } = await there.world.meet();
      await STEPS.approved?.({ browser, phone });
      there.pauseAt(({ keys }) => keys.some((key) => key.includes(':ticket:')));
      expect((await browser.finish()).status).to.equal(503);
      await there.resume();
      expect((await browser.finish()).status).to.equal(200);
      expect((await browser.finish()).status).to.equal(200);
      expect(finished()).to.equal(1);
    });
  });
});

describe('trouble with the store outside of requests', () => {
  storesMayTake(GENEROUS);

  it('is announced in events without a context', async () => {
    await RedisWorld.during({}, async ({ redis, world }) => {
      await until(async () => (await world.qr.health()).ok);
      const failed = new Promise<unknown[]>((resolve) => {
        world.provider.once('qr_login.failed' as never, ((...values: unknown[]) => resolve(values)) as never);
      });
      await redis.kill();
      const [ctx, error] = await failed;
      expect(ctx).to.equal(undefined);
      expect(error).to.be.instanceOf(QrLoginError).and.to.include({ code: 'store_unavailable' });
      expect((error as Error).cause).to.be.instanceOf(Error);
      await redis.restart();
    });
  });

  it('is announced once for each time that the store cannot be reached', async () => {
    await RedisWorld.during({}, async (there) => {
      const { redis, world } = there;
      await there.untilUp();
      const failed = world.count('qr_login.failed');
      for (const times of [1, 2]) {
        await redis.kill();
        // The first request waits in vain while the plugin tries to reconnect.
        await whileStoresMayTake(SHORT, async () => {
          for (let asked = 0; asked < 3; asked++) expect((await world.qr.health()).ok).to.equal(false);
        });
        expect(failed()).to.equal(times);
        await redis.restart();
        await there.untilUp();
      }
    });
  });
});

describe('a listener that throws because it expects a context', () => {
  storesMayTake(GENEROUS);

  it('causes a warning when trouble with the store is announced, and later sign-ins work', async () => {
    await RedisWorld.during({}, async (there) => {
      await there.untilUp();
      const warned = throwAt(there.world, 'qr_login.failed');
      await there.redis.kill();
      await warned;
      await there.redis.restart();
      await there.untilUp();
      expect((await signIn(there.world)).status).to.equal(200);
    });
  });

  it('causes a warning when a ticket expires, and later tickets are announced', async () => {
    await World.during(CHECKED_OFTEN, async (world) => {
      const expired = collectExpired(world);
      for (const times of [1, 2]) {
        const warned = throwAt(world, 'qr_login.expired');
        await bringInto(world, ['waiting']);
        world.clock.forward(121);
        await warned;
        expect(expired).to.have.length(times);
      }
    });
  });

  it('causes a warning when a ticket is written after its request has failed, and the sign-in works', async () => {
    await RedisWorld.during({}, async (there) => {
      const { browser, phone } = await there.world.meet();
      await STEPS.approved?.({ browser, phone });
      const warned = throwAt(there.world, 'qr_login.finished');
      there.pauseAt(({ keys }) => keys.some((key) => key.includes(':ticket:')));
      expect((await browser.finish()).status).to.equal(503);
      await there.resume();
      await warned;
      expect((await browser.finish()).status).to.equal(200);
    });
  });
});

interface Announcement {
  readonly ctx: unknown;
  readonly event: TicketEvent;
}

/** Returns a list that collects each expiry from now on. */
function collectExpired({ provider }: World): Announcement[] {
  const announcements: Announcement[] = [];
  const listener = (ctx: unknown, event: TicketEvent): unknown => announcements.push({ ctx, event });
  provider.on('qr_login.expired' as never, listener as never);
  return announcements;
}

/**
 * Adds a listener that throws at the next event of this name if the event has no context.
 * @returns a promise that resolves when the process emits the error as a warning
 */
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

/** Signs in. @returns the answer to the finish request of the browser */
async function signIn(world: World): Promise<Answer> {
  const { browser, phone } = await world.meet();
  await STEPS.approved?.({ browser, phone });
  return browser.finish();
}

/** Brings a ticket into each of these states. @returns the names of the tickets in events, by state */
async function bringInto(world: World, states: string[]): Promise<Map<string, string>> {
  const phone = await new PhonePerson(world).signIn();
  const tickets = new Map<string, string>();
  await Promise.all(
    states.map(async (state) => {
      const browser = new BrowserPerson(world);
      await browser.start();
      tickets.set(state, traceIn(await browser.code()));
      const own = Object.assign(new PhonePerson(world), { agent: phone.agent });
      await STEPS[state]?.({ browser, phone: own });
    }),
  );
  return tickets;
}

function stateOf(tickets: Map<string, string>, { ticket }: TicketEvent): string | undefined {
  return [...tickets].find(([, trace]) => trace === ticket)?.[0];
}

/** Returns options for interactions that last this many seconds. */
function shortInteractions(seconds: number): WorldOptions {
  return {
    configuration: { ttl: { Interaction: seconds, Session: 3600, Grant: 3600, AccessToken: 600, IdToken: 600 } },
  };
}

/** Returns a browser that starts at the first node and continues at the second. */
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
