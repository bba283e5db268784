import { expect } from 'chai';
import { GENEROUS, storesMayTake } from '../../stores/patience.ts';
import { isSignedIn, ownBrowsers, signInBy } from '../../support/own-browsers.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { listKey } from '../../support/stored-key.ts';
import { BrowserPerson, PhonePerson } from '../../support/world.ts';

describe('the browsers that an account is signed in to, on several nodes', () => {
  storesMayTake(GENEROUS);

  let one: RedisWorld;

  beforeEach(async () => {
    one = await RedisWorld.start();
  });

  afterEach(() => one?.stop());

  const another = (): Promise<RedisWorld> => RedisWorld.start({ issuer: one.world.issuer }, one.redis);

  it('are on the list of each node, and can be signed out by each', async () => {
    const two = await another();
    try {
      const phone = await new PhonePerson(one.world).signIn();
      const browser = new BrowserPerson(one.world);
      await browser.start();
      await signInBy(phone, browser);
      const here = await ownBrowsers(phone);
      const there = await ownBrowsers(phone, two.world.origin);
      expect(there.browsers.map(({ id }) => id)).to.deep.equal(here.browsers.map(({ id }) => id));
      expect(there.browsers).to.have.length(1);

      const json = { csrf: there.csrf, end: there.browsers[0]?.id ?? '' };
      const ended = await phone.agent.post(`${two.world.origin}/qr/devices`, { json });
      expect(ended.json()).to.deep.equal({ ended: 1, unreached: 0 });
      expect((await ownBrowsers(phone)).browsers).to.deep.equal([]);
      expect(await isSignedIn(browser)).to.equal(false);
    } finally {
      await two.leave();
    }
  });

  it('are still on the list when the node that signed them in is gone', async () => {
    const phone = await new PhonePerson(one.world).signIn();
    const browser = new BrowserPerson(one.world);
    await browser.start();
    await signInBy(phone, browser);
    const { browsers: before } = await ownBrowsers(phone);
    await one.world.stop();
    const two = await another();
    try {
      const after = await ownBrowsers(phone, two.world.origin);
      expect(after.browsers.map(({ id, signedInAt }) => [id, signedInAt])).to.deep.equal(
        before.map(({ id, signedInAt }) => [id, signedInAt]),
      );
      expect(after.browsers).to.have.length(1);
    } finally {
      await two.leave();
    }
  });

  it('are on a list in Redis that expires with the last of their sessions', async () => {
    const phone = await new PhonePerson(one.world).signIn();
    const browser = new BrowserPerson(one.world);
    await browser.start();
    await signInBy(phone, browser);
    const left = Number(await one.redis.command('PTTL', `keyv:qr:${listKey(one.world, 'browsers', 'a11ce')}`));
    // The limits are in seconds, and let the test take up to an hour.
    expect(left / 1000).to.be.within(14 * 24 * 3600 - 3600, 14 * 24 * 3600);
  });
});
