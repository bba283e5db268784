import { expect } from 'chai';
import { Keyv } from 'keyv';
import { qrLogin } from '../../src/index.ts';
import { chooseEngine } from '../../src/stores/choose-engine.ts';
import { newTicket, toFollower, toReplaced, toScanned } from '../../src/stores/contract/sample-tickets.ts';
import { storeContract } from '../../src/stores/contract/store-contract.ts';
import type { StoreEngine } from '../../src/stores/store-engine.ts';
import type { Ticket } from '../../src/ticket/ticket.ts';
import { eventually } from '../support/until.ts';
import { World } from '../support/world.ts';
import { awaitRefusal } from '../ticket/builders.ts';
import { SHORT, whileStoresMayTake } from './patience.ts';

const IGNORED = { onTrouble: () => undefined, onLate: () => undefined };

/** Returns an engine over a Keyv in memory, with some parts replaced. */
function engineWith(more: Partial<StoreEngine> = {}): StoreEngine {
  return { ...chooseEngine(new Keyv(), Date.now, IGNORED), name: 'own', ...more };
}

/** Returns the methods of a store as functions, so that an object can replace one of them. */
function callable(store: StoreEngine['store']): StoreEngine['store'] {
  return {
    create: (ticket) => store.create(ticket),
    find: (id) => store.find(id),
    findByInteraction: (uid) => store.findByInteraction(uid),
    swap: (previous, next, ended) => store.swap(previous, next, ended),
  };
}

/** Returns an engine whose accesses never end. */
function hangingEngine(): StoreEngine {
  const hang = (): Promise<never> => new Promise(() => undefined);
  return engineWith({
    store: { create: hang, find: hang, findByInteraction: hang, swap: hang },
    notes: { write: hang, read: hang, claim: hang },
    browsers: { put: hang, list: hang, used: hang, rename: hang, remove: hang },
    known: { put: hang, list: hang, used: hang, rename: hang, remove: hang },
    requests: { add: hang, list: hang, remove: hang },
    rateLimit: () => ({ take: hang, ask: hang }),
    ping: hang,
  });
}

storeContract({ describe, it, before, after }, "a deployment's own engine", () => {
  const engine = chooseEngine(() => engineWith(), Date.now, IGNORED);
  return { here: engine, there: engine, close: engine.close };
});

describe("a deployment's own engine", () => {
  it('serves whole sign-ins, and appears in the health of the process', async () => {
    await World.during({ qrLogin: { store: () => engineWith() } }, async (world) => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      expect((await phone.approve()).json().state).to.equal('approved');
      const resumed = await browser.goOn(String((await browser.finish()).json().redirectTo));
      expect(resumed.status).to.equal(200);
      expect(await world.qr.health()).to.include({ ok: true, engine: 'own', store: 'up' });
    });
  });

  it('causes a 503 if it fails, and the process stays alive', async () => {
    let isDown = false;
    const { store } = engineWith();
    const find: StoreEngine['store']['findByInteraction'] = async (uid) => {
      if (isDown) throw new Error('no connection to the database');
      return store.findByInteraction(uid);
    };
    const flaky = { ...engineWith(), store: { ...callable(store), findByInteraction: find } };
    await World.during({ qrLogin: { store: () => flaky } }, async (world) => {
      const { browser } = await world.meet();
      isDown = true;
      const refusal = await browser.agent.get(`${browser.at}/qr`);
      expect(refusal.status).to.equal(503);
      expect(refusal.headers.get('retry-after')).to.match(/^\d+$/);
      isDown = false;
      expect((await browser.agent.get(`${browser.at}/qr`)).status).to.equal(200);
    });
  });

  const acts: Record<string, (engine: StoreEngine) => unknown> = {
    'store.find': ({ store }) => store.find('id'),
    'store.findByInteraction': ({ store }) => store.findByInteraction('uid'),
    'store.create': ({ store }) => store.create(newTicket()),
    'store.swap': ({ store }) => store.swap(newTicket(), newTicket()),
    'notes.write': ({ notes }) => notes.write('name', 1000),
    'notes.read': ({ notes }) => notes.read('name'),
    'notes.claim': ({ notes }) => notes.claim('name', 1000),
    'browsers.put': ({ browsers }) =>
      browsers.put('alice', { id: 'id', sessionUid: 'uid', signedInAt: 1, lastUsedAt: 1, endsAt: 2 }),
    'browsers.list': ({ browsers }) => browsers.list('alice'),
    'browsers.used': ({ browsers }) => browsers.used('alice', 'id', { lastUsedAt: 1, endsAt: 2 }),
    'browsers.rename': ({ browsers }) => browsers.rename('alice', 'id', 'Office'),
    'browsers.remove': ({ browsers }) => browsers.remove('alice', 'id'),
    'rateLimit.take': ({ rateLimit }) => rateLimit('scan', { times: 1, within: 1 }).take('key'),
    'rateLimit.ask': ({ rateLimit }) => rateLimit('scan', { times: 1, within: 1 }).ask('key'),
    ping: ({ ping }) => ping(),
  };

  for (const [name, act] of Object.entries(acts)) {
    it(`has a deadline for ${name}`, async () => {
      const engine = chooseEngine(() => hangingEngine(), Date.now, IGNORED);
      const refusal = await whileStoresMayTake(SHORT, () => awaitRefusal(Promise.resolve(act(engine))));
      expect(refusal.code).to.equal('store_unavailable');
    });
  }

  it('reports tickets that were written after their caller had got an error', async () => {
    const late: Ticket[] = [];
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const engine = chooseEngine(
      () => engineWith({ store: { ...hangingEngine().store, create: lateYes, swap: lateYes } }),
      Date.now,
      { ...IGNORED, onLate: (ticket) => late.push(ticket) },
    );
    async function lateYes(): Promise<boolean> {
      await released;
      return true;
    }
    const first = newTicket();
    const [next, ended] = [toFollower(first), toReplaced(first)];
    const plain = toScanned(next);
    await whileStoresMayTake(SHORT, async () => {
      await awaitRefusal(engine.store.create(first));
      await awaitRefusal(engine.store.swap(first, next, ended));
      await awaitRefusal(engine.store.swap(next, plain));
    });
    release();
    await eventually('all are reported', () => late.length === 4);
    expect(late).to.deep.equal([first, ended, next, plain]);
  });

  it('without one of its parts is refused at start-up', () => {
    const { notes: _notes, ...rest } = engineWith();
    const incomplete = { ...rest, name: '', signals: { subscribe: () => undefined, unsubscribe: () => undefined } };
    const make = (): unknown => chooseEngine(() => incomplete as unknown as StoreEngine, Date.now, IGNORED);
    expect(make).to.throw(
      TypeError,
      'the engine that store() returned has no name, notes.write, notes.read, notes.claim, signals.rereadEvery',
    );
    expect(() => chooseEngine(() => undefined as unknown as StoreEngine, Date.now, IGNORED)).to.throw(
      TypeError,
      'the engine that store() returned has no name, store.create',
    );
    expect(() => qrLogin({ findAccount: () => undefined, signIn: () => undefined, store: 7 as never })).to.throw(
      'store must be a Keyv, such as new Keyv() or new Keyv({ store: … }), or a function that makes a store engine, not ',
    );
  });
});
