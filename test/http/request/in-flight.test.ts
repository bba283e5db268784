import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { QrLoginOptions } from '../../../src/index.ts';
import { Child } from '../../support/child.ts';
import { StillClock } from '../../support/clock.ts';
import { RedisServer } from '../../support/redis.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { until } from '../../support/until.ts';
import { World } from '../../support/world.ts';

const PROGRAM = fileURLToPath(new URL('../../support/closing-program.ts', import.meta.url));

describe('closing', () => {
  it('ends streams with a reconnection time, and answers long polls', async () => {
    await World.during({ clock: new StillClock(), qrLogin: { rotation: 60 } }, async (world) => {
      const { browser } = await world.meet();
      const streams = [await browser.events(), await browser.events()];
      for (const stream of streams) await stream.ticket('waiting');
      const poll = browser.after(1);
      await until(async () => (await world.qr.health()).waiting === 3);

      await world.qr.close();
      for (const stream of streams) {
        const [, retry] = /^retry: (\d+)$/.exec((await stream.block()) ?? '') ?? [];
        expect(Number(retry)).to.be.within(0, 2_000);
        expect(await stream.block()).to.equal(undefined);
      }
      expect(await poll).to.include({ version: 1, state: 'waiting' });
      await until(async () => (await world.qr.health()).waiting === 0);
    });
  });

  it('still answers later requests: a stream ends immediately, and a long poll does not wait', async () => {
    await World.during({ clock: new StillClock(), qrLogin: { rotation: 60 } }, async (world) => {
      const { browser } = await world.meet();
      await world.qr.close();
      const stream = await browser.events();
      expect(await stream.ticket()).to.include({ version: 1, state: 'waiting' });
      expect(await stream.block()).to.match(/^retry: \d+$/);
      expect(await stream.block()).to.equal(undefined);
      expect(await browser.after(1)).to.include({ version: 1, state: 'waiting' });
    });
  });

  it('lets a request finish that began before', async () => {
    const slow = new SlowLookup();
    await World.during({ qrLogin: { findAccount: slow.findAccount } }, async (world) => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      const asked = slow.holdUp();
      const approving = phone.approve();
      await asked;
      let closed = false;
      const closing = world.qr.close().then(() => {
        closed = true;
      });
      // Other requests are answered meanwhile.
      expect((await browser.ticket()).state).to.equal('scanned');
      expect(closed).to.equal(false);
      slow.goOn();
      expect((await approving).json().state).to.equal('approved');
      await closing;
    });
  });

  it('waits two seconds for a request that does not finish, and a second close does not wait again', async () => {
    const slow = new SlowLookup();
    await World.during({ qrLogin: { findAccount: slow.findAccount } }, async (world) => {
      const { browser, phone } = await world.meet();
      const code = await browser.code();
      const asked = slow.holdUp();
      const landing = phone.land(code);
      await asked;
      const began = performance.now();
      await Promise.all([world.qr.close(), world.qr.close()]);
      // The wait is 2,000 ms. Timers count whole milliseconds, so they may be early by one.
      expect(performance.now() - began).to.be.at.least(1_990);
      const again = world.qr.close().then(() => 'closed');
      expect(await Promise.race([again, nextTurn('waits')])).to.equal('closed');
      slow.goOn();
      expect((await landing).status).to.equal(200);
    });
  });

  it('completes even if Redis does not answer', async () => {
    await RedisWorld.during({}, async (there) => {
      const { world } = there;
      await until(async () => (await world.qr.health()).signals === 'up');
      // Redis stays paused until the test has ended.
      there.pause();
      await world.qr.close();
    });
  });

  it("closes the plugin's own connection to Redis and leaves the deployment's open", async () => {
    await RedisWorld.during({}, async ({ redis, world }) => {
      await until(async () => (await world.qr.health()).signals === 'up');
      // The third connection is that of the INFO command itself.
      expect(await redis.info('connected_clients')).to.equal('3');
      expect(await redis.info('pubsub_channels')).to.equal('1');
      await world.qr.close();
      await until(async () => (await redis.info('connected_clients')) === '2');
      expect(await redis.info('pubsub_channels')).to.equal('0');
    });
  });

  it('leaves nothing open that would keep the process alive', async () => {
    const redis = await RedisServer.start();
    try {
      const program = await Child.start(
        'a provider that closes',
        [process.execPath, '--import', './scripts/typescript.mjs', PROGRAM],
        {
          ready: /^stopped$/,
          env: { ...process.env, REDIS_URL: redis.url },
          cwd: new URL('../../..', import.meta.url),
        },
      );
      expect(await program.ended).to.deep.equal({ code: 0, signal: null });
    } finally {
      await redis.stop();
    }
  });
});

/** A `findAccount` that a test can delay. */
class SlowLookup {
  goOn: () => void = () => undefined;
  #asked: () => void = () => undefined;
  #free: Promise<void> = Promise.resolve();

  readonly findAccount: QrLoginOptions['findAccount'] = async () => {
    this.#asked();
    await this.#free;
    return { name: 'Alice Liddell' };
  };

  /** Delays the next lookup until `goOn`. @returns a promise that resolves when the lookup has begun */
  holdUp(): Promise<void> {
    this.#free = new Promise((resolve) => {
      this.goOn = resolve;
    });
    return new Promise((resolve) => {
      this.#asked = resolve;
    });
  }
}
