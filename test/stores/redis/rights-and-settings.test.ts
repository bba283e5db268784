import KeyvRedis from '@keyv/redis';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import { RecordingListener } from '../../../src/stores/contract/recording-listener.ts';
import { changed, newTicket } from '../../../src/stores/contract/sample-tickets.ts';
import { RedisServer } from '../../support/redis.ts';
import { until } from '../../support/until.ts';
import { World } from '../../support/world.ts';
import { GENEROUS, storesMayTake, whileStoresMayTake } from '../patience.ts';
import { RedisProcess, startProcess } from './redis-process.ts';

/** The rights that docs/operations.md names, without those for channels. */
const COMMANDS = ['~keyv:*', '+@read', '+@write', '+@scripting', '+@pubsub', '+@connection', '+time'];
/** In milliseconds. A listener reads its ticket again after ten times this. */
const QUICK = 300;

describe('on Redis with certain rights and settings', () => {
  let redis: RedisServer;
  let warnings: (Error & { code?: string })[];
  const note = (warning: Error): unknown => warnings.push(warning);

  storesMayTake(GENEROUS);

  before(async () => {
    redis = await RedisServer.start();
  });

  after(() => redis?.stop());

  beforeEach(() => {
    warnings = [];
    process.on('warning', note);
  });

  afterEach(async () => {
    process.off('warning', note);
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  });

  async function urlOfUser(...rights: string[]): Promise<string> {
    await redis.command('ACL', 'SETUSER', 'app', 'reset', 'on', '>secret', 'resetchannels', ...COMMANDS, ...rights);
    return redis.url.replace('redis://', 'redis://app:secret@');
  }

  const warned = (code: string): string[] =>
    warnings.filter((warning) => warning.code === code).map(({ message }) => message);

  /** Waits until the process has asked for the policy, which it does before the check of its signals ends. */
  async function settled(process: RedisProcess): Promise<void> {
    await process.answers();
    await process.listens();
  }

  describe('a user without channels', () => {
    it('still writes tickets, and the process warns the operator once', async () => {
      const process = new RedisProcess(await urlOfUser());
      const ticket = newTicket();
      new RecordingListener(process.signals, ticket.interaction);
      await process.store.find(ticket.id);
      expect(await process.store.create(ticket)).to.equal(true);
      expect(await process.store.swap(ticket, changed(ticket))).to.equal(true);
      expect(await process.store.swap(ticket, changed(ticket))).to.equal(false);
      expect(await process.store.find(ticket.id)).to.deep.equal(changed(ticket));
      await until(() => process.troubles.length > 0);
      expect(process.troubles.map(({ message }) => message)).to.have.length(1);
      expect(process.troubles[0]?.message).to.match(/can't publish|NOPERM/);
      expect(warned('QR_LOGIN_NO_SIGNALS')).to.have.length(1);
      expect(warned('QR_LOGIN_NO_SIGNALS')[0]).to.include('&keyv:qr:node:*');
      expect(process.engine.hearsOthers()).to.equal(false);
      await process.engine.ping();
      await process.close();
    });

    it('receives changes again as soon as it has the right', async () => {
      const url = await urlOfUser();
      await whileStoresMayTake(QUICK, async () => {
        const process = new RedisProcess(url);
        await until(() => process.troubles.length > 0);
        await redis.command('ACL', 'SETUSER', 'app', '&keyv:qr:*');
        await process.listens();
        await process.close();
      });
    });

    it('still signs browsers in, because the page reads the ticket again', async () => {
      const store = new Keyv({ store: new KeyvRedis<unknown>(await urlOfUser()) });
      await whileStoresMayTake(QUICK, () =>
        World.during({ store }, async (world) => {
          const troubles = world.told('qr_login.failed');
          const finished = world.told('qr_login.finished');
          const { browser, phone } = await world.meet();
          const stream = await browser.events();
          const { url } = (await stream.ticket('waiting')).qr as { url: string };
          await phone.scan(url);
          await stream.ticket('scanned');
          expect((await phone.approve()).json().state).to.equal('approved');
          await stream.ticket('approved');
          stream.close();
          expect((await browser.tokens(await browser.arrive())).claims()?.sub).to.equal('a11ce');
          expect(finished).to.have.length(1);
          expect(await world.qr.health()).to.include({ ok: true, store: 'up', signals: 'down' });
          expect(troubles.length + warned('QR_LOGIN_NO_SIGNALS').length).to.be.greaterThan(0);
        }),
      );
      await store.disconnect();
    });
  });

  describe('the policy for a full memory', () => {
    for (const [rights, extra] of Object.entries({ 'may read the setting': '+config|get', 'may use INFO': '+info' })) {
      it(`causes a warning if it is not noeviction and the user ${rights}`, async () => {
        await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
        const process = new RedisProcess(await urlOfUser('&keyv:qr:*', extra));
        await until(() => warned('QR_LOGIN_EVICTION').length > 0);
        await settled(process);
        expect(warned('QR_LOGIN_EVICTION')).to.have.length(1);
        expect(warned('QR_LOGIN_EVICTION')[0]).to.include('allkeys-lru');
        await process.close();
      });
    }

    it('causes no warning if it is noeviction, or if the user may not read it', async () => {
      const good = await startProcess(redis.url);
      await settled(good);
      await good.close();
      await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
      const blind = await startProcess(await urlOfUser('&keyv:qr:*'));
      await settled(blind);
      await blind.close();
      expect(warned('QR_LOGIN_EVICTION')).to.deep.equal([]);
      expect([...good.troubles, ...blind.troubles]).to.deep.equal([]);
    });
  });
});
