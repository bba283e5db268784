import { expect } from 'chai';
import { GENEROUS, storesMayTake } from '../../stores/patience.ts';
import type { EventStream } from '../../support/agent.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { BrowserPerson, type PhonePerson } from '../../support/world.ts';

describe('a browser that waits while the store does not answer', () => {
  storesMayTake(GENEROUS);

  let there: RedisWorld;
  let open: EventStream[];

  beforeEach(async () => {
    open = [];
    there = await RedisWorld.start();
    await there.untilUp();
  });

  afterEach(async () => {
    for (const stream of open) stream.close();
    await there?.stop();
  });

  const watch = async (browser: BrowserPerson): Promise<EventStream> => {
    const stream = await browser.events();
    open.push(stream);
    return stream;
  };

  /** Approves on the phone while Redis does not answer in time. */
  const approveLate = async (phone: PhonePerson): Promise<void> => {
    there.pauseAt(({ keys }) => keys.some((key) => key.includes(':ticket:')));
    expect((await phone.approve()).status).to.equal(503);
  };

  it('keeps its stream, which sends the current state as soon as the store is back', async () => {
    const { browser, phone } = await there.world.meet();
    await phone.scan(await browser.code());
    const stream = await watch(browser);
    await stream.ticket('scanned');
    await approveLate(phone);
    const { waiting, store } = await there.world.qr.health();
    expect({ waiting, store }).to.deep.equal({ waiting: 1, store: 'down' });

    await there.resume();
    expect(await stream.ticket()).to.include({ version: 3, state: 'approved' });
    await browser.finish();
    expect(await stream.ticket()).to.include({ version: 4, state: 'redeemed' });
  });

  it('keeps its long poll, which is answered as soon as the store is back', async () => {
    const { browser, phone } = await there.world.meet();
    await phone.scan(await browser.code());
    const stream = await watch(browser);
    await stream.ticket('scanned');
    const waiting = browser.after(2);
    await there.untilWaiting(2);
    await approveLate(phone);
    await there.resume();
    expect(await waiting).to.include({ version: 3, state: 'approved' });
  });

  it('still gets new codes, because they need no store', async () => {
    const other = await RedisWorld.start({ qrLogin: { rotation: 1 } }, there.redis);
    const browser = new BrowserPerson(other.world);
    await browser.start();
    const stream = await watch(browser);
    const codeIn = async (): Promise<unknown> => (await stream.ticket('waiting')).qr;
    const first = await codeIn();
    there.redis.pause();
    const second = await codeIn();
    there.redis.resume();
    stream.close();
    await other.leave();
    expect(second).not.to.deep.equal(first);
  });

  it('learns that its ticket is gone if the store comes back empty, and can start again', async () => {
    const { browser, phone } = await there.world.meet();
    const stream = await watch(browser);
    await stream.ticket('waiting');
    await there.redis.restart();
    // Events with a new code may come before that.
    expect(await stream.ticket('expired')).to.deep.equal({ version: 0, state: 'expired', expiresIn: 0 });
    // The interaction is also gone.
    expect((await browser.agent.post(`${browser.at}/qr/renew`, { json: {} })).status).to.equal(404);
    await there.untilUp();
    await phone.signIn();
    await browser.start();
    await phone.scan(await browser.code());
    await phone.approve();
    expect((await browser.tokens(await browser.arrive())).claims()?.sub).to.equal('a11ce');
  });
});
