import { expect } from 'chai';
import { qrLogin } from '../src/index.ts';
import { FlakyBackend, keyvOver } from './stores/memory/keyv-stores.ts';
import { GENEROUS, SHORT, storesMayTake, whileStoresMayTake } from './stores/patience.ts';
import { StillClock } from './support/clock.ts';
import { Elsewhere } from './support/elsewhere.ts';
import { RedisWorld } from './support/redis-world.ts';
import { LOOPBACK } from './support/server.ts';
import { until } from './support/until.ts';
import { BrowserPerson, World } from './support/world.ts';

describe('the health report', () => {
  storesMayTake(GENEROUS);

  it('is good for tickets in memory, and bad after closing', async () => {
    await World.during({}, async ({ qr }) => {
      const good = { ok: true, engine: 'memory', store: 'up', signals: 'up', waiting: 0, closing: false };
      expect(await qr.health()).to.deep.equal(good);
      await qr.close();
      // The store is not pinged after closing, because that could open its connection again.
      expect(await qr.health()).to.deep.equal({ ...good, ok: false, store: 'down', closing: true });
    });
  });

  it('shows the state of the backend of a Keyv that is neither in memory nor Redis, and is on time even if the backend does not answer', async () => {
    const { store, elsewhere } = Elsewhere.keyv();
    await World.during({ store }, async ({ qr }) => {
      const good = { ok: true, engine: 'keyv', store: 'up', signals: 'up', waiting: 0, closing: false };
      expect(await qr.health()).to.deep.equal(good);

      const goOn = elsewhere.hang();
      const health = await whileStoresMayTake(SHORT, () => qr.health());
      expect(health).to.deep.equal({ ...good, ok: false, store: 'down' });
      goOn();
      expect(await qr.health()).to.deep.equal(good);

      elsewhere.before = () => Promise.reject(new Error('the disk is gone'));
      expect(await qr.health()).to.include({ ok: false, store: 'down' });
    });
  });

  it('turns bad when Redis goes down, and good when it is back', async () => {
    await RedisWorld.during({}, async (there) => {
      const { redis, world } = there;
      const { qr } = world;
      const good = { ok: true, engine: 'redis', store: 'up', signals: 'up', waiting: 0, closing: false };
      await until(async () => (await qr.health()).signals === 'up');
      expect(await qr.health()).to.deep.equal(good);

      there.pause();
      expect(await qr.health()).to.include({ ok: false, store: 'down' });
      await there.resume();

      await redis.kill();
      await whileStoresMayTake(SHORT, async () => {
        expect(await qr.health()).to.include({ ok: false, store: 'down' });
      });
      await redis.restart();
      await until(async () => (await qr.health()).ok);
      await until(async () => (await qr.health()).signals === 'up');
      expect(await qr.health()).to.deep.equal(good);

      await qr.close();
      expect(await qr.health()).to.include({ ok: false, store: 'down', closing: true });
    });
  });

  const REFUSALS: Readonly<Record<string, readonly [string[], string[]]>> = {
    'is full (OOM)': [
      ['CONFIG', 'SET', 'maxmemory', '1'],
      ['CONFIG', 'SET', 'maxmemory', '0'],
    ],
    'has become a replica (READONLY)': [
      ['REPLICAOF', LOOPBACK, '1'],
      ['REPLICAOF', 'NO', 'ONE'],
    ],
    'cannot save to its disk (MISCONF)': [
      ['CONFIG', 'SET', 'save', '1 1'],
      ['CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no'],
    ],
  };

  for (const [what, [begin, end]] of Object.entries(REFUSALS)) {
    it(`is bad while Redis ${what} and therefore refuses writes, even though it answers`, async () => {
      await RedisWorld.during({}, async ({ redis, world: { qr } }) => {
        await until(async () => (await qr.health()).ok);
        if (what.includes('MISCONF')) await redis.failToSave();
        await redis.command(...begin);
        await until(async () => !(await qr.health()).ok);
        expect(await qr.health()).to.include({ ok: false, store: 'down', closing: false });
        await redis.command(...end);
        await until(async () => (await qr.health()).ok);
      });
    });
  }

  it('is bad while the backend of a Keyv that is neither in memory nor Redis refuses writes, even though it answers', async () => {
    const backend = new FlakyBackend();
    await World.during({ store: keyvOver(backend) }, async ({ qr }) => {
      expect((await qr.health()).ok).to.equal(true);
      backend.down = 'writes';
      await until(async () => !(await qr.health()).ok);
      backend.down = 'nothing';
      expect((await qr.health()).ok).to.equal(true);
    });
  });

  it('does not reopen a connection to Redis that was closed', async () => {
    await RedisWorld.during({}, async ({ redis, world: { qr, store } }) => {
      // The list includes the connection that asks for it.
      const connections = async (): Promise<number> =>
        `${await redis.command('CLIENT', 'LIST')}`.trim().split('\n').length;
      await until(async () => (await qr.health()).signals === 'up');
      await qr.close();
      await store.disconnect();
      await until(async () => (await connections()) === 1);
      for (let asked = 0; asked < 3; asked++) {
        expect(await qr.health()).to.include({ ok: false, store: 'down', closing: true });
      }
      await until(async () => (await connections()) === 1);
    });
  });

  it('counts the browsers that wait on streams and long polls, until they have left', async () => {
    await World.during({ clock: new StillClock(), qrLogin: { rotation: 60 } }, async (world) => {
      const { browser, phone } = await world.meet();
      const waiting = async (): Promise<number> => (await world.qr.health()).waiting;
      const one = await browser.events();
      const two = await browser.events();
      await one.ticket('waiting');
      await two.ticket('waiting');
      const poll = browser.after(1);
      await until(async () => (await waiting()) === 3);

      await phone.scan(await browser.code());
      await poll;
      expect(await waiting()).to.equal(2);
      one.close();
      await until(async () => (await waiting()) === 1);
      two.close();
      await until(async () => (await waiting()) === 0);

      // The browser aborts a long poll.
      const leaving = new AbortController();
      const left = browser.agent.get(`${browser.at}/qr?after=2`, { signal: leaving.signal });
      await until(async () => (await waiting()) === 1);
      leaving.abort();
      await left.catch(() => undefined);
      await until(async () => (await waiting()) === 0);
    });
  });

  for (const [how, path] of Object.entries({ 'a stream': '/qr/events', 'a long poll': '/qr?after=1' })) {
    it(`does not count a browser that asked for ${how} and left before the store has answered`, async () => {
      const { store, elsewhere } = Elsewhere.keyv();
      await World.during({ store, clock: new StillClock(), qrLogin: { rotation: 60 } }, async (world) => {
        const browser = new BrowserPerson(world);
        await browser.start();
        const left = world.untilLeft(`/interaction/${browser.uid}${path}`);
        const leaving = new AbortController();
        elsewhere.before = async () => {
          elsewhere.before = async () => undefined;
          leaving.abort();
          await left;
        };
        await browser.agent.raw(browser.at + path, { signal: leaving.signal }).catch(() => undefined);
        await left;
        // The answer to this request proves that the server has also handled the earlier one.
        await browser.ticket();
        await until(async () => (await world.qr.health()).waiting === 0);
      });
    });
  }

  it('is available only after attach', async () => {
    const qr = qrLogin({ findAccount: () => ({ name: 'Alice' }), signIn: () => '/sign-in' });
    const refusal = await qr.health().catch((error: unknown) => error);
    expect(refusal)
      .to.be.an.instanceOf(TypeError)
      .with.property('message')
      .that.includes('qr.attach(provider) was not called yet');
  });
});
