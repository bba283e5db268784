import KeyvRedis from '@keyv/redis';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import { RecordingListener } from '../../../src/stores/contract/recording-listener.ts';
import { newTicket, toScanned } from '../../../src/stores/contract/sample-tickets.ts';
import { requestAndShow } from '../../http/actions/actions.ts';
import { until } from '../../support/until.ts';
import { PhonePerson, World } from '../../support/world.ts';
import { GENEROUS, storesMayTake, whileStoresMayTake } from '../patience.ts';
import { RedisProcess } from './redis-process.ts';
import { useRestrictedRedis } from './restricted-redis.ts';

/** The time that stores may take, in milliseconds. A listener reads its ticket again after ten times this time. */
const QUICK = 300;

describe('a process whose Redis user has no rights for channels', () => {
  storesMayTake(GENEROUS);
  const here = useRestrictedRedis();

  it('still writes tickets, and warns the operator once', async () => {
    const process = new RedisProcess(await here().urlOfUser());
    const ticket = newTicket();
    new RecordingListener(process.signals, ticket.interaction);
    await process.store.find(ticket.id);
    expect(await process.store.create(ticket)).to.equal(true);
    expect(await process.store.swap(ticket, toScanned(ticket))).to.equal(true);
    expect(await process.store.swap(ticket, toScanned(ticket))).to.equal(false);
    expect(await process.store.find(ticket.id)).to.deep.equal(toScanned(ticket));
    await until(() => process.troubles.length > 0);
    expect(process.troubles.map(({ message }) => message)).to.have.length(1);
    expect(process.troubles[0]?.message).to.match(/can't publish|NOPERM/);
    expect(here().warned('QR_LOGIN_NO_SIGNALS')).to.have.length(1);
    expect(here().warned('QR_LOGIN_NO_SIGNALS')[0]).to.include('&keyv:qr:node:*');
    expect(process.engine.hearsOthers()).to.equal(false);
    await process.engine.ping();
    await process.close();
  });

  it('receives changes again as soon as its user has the right', async () => {
    const url = await here().urlOfUser();
    await whileStoresMayTake(QUICK, async () => {
      const process = new RedisProcess(url);
      await until(() => process.troubles.length > 0);
      await here().redis.command('ACL', 'SETUSER', 'app', '&keyv:qr:*');
      await process.untilListening();
      await process.close();
    });
  });

  it('still tells the result of an action that ends at another process', async () => {
    const stores = await Promise.all(
      [1, 2].map(async () => new Keyv({ store: new KeyvRedis<unknown>(await here().urlOfUser()) })),
    );
    const [one = new Keyv(), two = new Keyv()] = stores;
    await whileStoresMayTake(QUICK, () =>
      World.during({ store: one }, (first) =>
        World.during({ store: two, issuer: first.issuer }, async (second) => {
          const { approval, browser } = await requestAndShow({ world: first });
          const found = await second.qr.findApproval(approval.id);
          const result = found?.result;
          const phone = await new PhonePerson(first).signIn('alice');
          await phone.scan(await browser.code());
          await phone.approve();
          await browser.finish();
          expect((await result)?.outcome).to.equal('approved');
        }),
      ),
    );
    await Promise.all(stores.map((store) => store.disconnect()));
  });

  it('still signs browsers in, because the page reads the ticket again', async () => {
    const store = new Keyv({ store: new KeyvRedis<unknown>(await here().urlOfUser()) });
    await whileStoresMayTake(QUICK, () =>
      World.during({ store }, async (world) => {
        const troubles = world.collectPayloads('qr_login.failed');
        const finished = world.collectPayloads('qr_login.finished');
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
        expect(troubles.length + here().warned('QR_LOGIN_NO_SIGNALS').length).to.be.greaterThan(0);
      }),
    );
    await store.disconnect();
  });
});
