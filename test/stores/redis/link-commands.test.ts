/** Counts the commands that a node sends to Redis, in a proxy between the two. */
import { expect } from 'chai';
import type { Keyv } from 'keyv';
import { CommandProxy } from '../../support/command-proxy.ts';
import { RedisServer } from '../../support/redis.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';
import { cutOff, redisKeyv } from '../adapter/backends.ts';
import { GENEROUS, storesMayTake } from '../patience.ts';

/**
 * The largest allowed number of commands of each step. It is two more than the step sends, because a node sometimes
 * compares its clock with that of Redis. A request sends one command after the other, so it waits for as many round
 * trips. The last step includes the consent.
 */
const MOST = { begin: 6, page: 4, code: 4, scan: 7, approve: 5, finish: 10, resume: 40 };

describe('a sign-in on Redis', () => {
  let redis: RedisServer;
  let proxy: CommandProxy;
  let keyv: Keyv;
  let world: World;

  storesMayTake(GENEROUS);

  before(async () => {
    redis = await RedisServer.start();
    proxy = await CommandProxy.start(redis.port);
    keyv = redisKeyv(proxy.url, 'commands');
    world = await World.start({ store: keyv });
  });

  after(async () => {
    await world?.stop();
    await cutOff(keyv);
    await proxy?.stop();
    await redis?.stop();
  });

  async function signIn(phone: PhonePerson): Promise<Record<keyof typeof MOST, number>> {
    const browser = new BrowserPerson(world);
    let [code, url] = ['', ''];
    const begin = await proxy.count(() => browser.start());
    const page = await proxy.count(() => browser.agent.get(browser.at));
    const look = await proxy.count(async () => {
      code = await browser.code();
    });
    const scan = await proxy.count(() => phone.scan(code));
    const approve = await proxy.count(() => phone.approve());
    const finish = await proxy.count(async () => {
      url = String((await browser.finish()).json().redirectTo);
    });
    const resume = await proxy.count(() => browser.arriveFrom(url));
    return { begin, page, code: look, scan, approve, finish, resume };
  }

  it('sends at most the allowed number of commands in each step', async () => {
    const phone = await new PhonePerson(world).signIn();
    // Loads the scripts.
    await signIn(phone);
    const counts = await signIn(phone);
    for (const [request, count] of Object.entries(counts))
      expect(count, `${request}: ${JSON.stringify(counts)}`).to.be.at.most(MOST[request as keyof typeof MOST]);
  });

  it('asks for a limit and for the interaction in one command', async () => {
    await World.during({ store: keyv, qrLogin: { limits: {} } }, async (limited) => {
      const browser = new BrowserPerson(limited);
      await browser.start();
      const counts: number[] = [];
      // Some requests also compare the clocks. The smallest number is that of a request without this.
      for (let time = 0; time < 5; time += 1) counts.push(await proxy.count(() => browser.agent.get(browser.at)));
      // The first command is for the limit and the interaction, and the second one reads the ticket.
      expect(Math.min(...counts)).to.equal(2);
    });
  });
});
