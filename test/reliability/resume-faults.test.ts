/** Tests the URL that resumes a sign-in, with a failure at each single command that a request to it sends to Redis. */
import { expect } from 'chai';
import { storesMayTake } from '../stores/patience.ts';
import { commandsFor, HARMS, type Harm } from '../support/command-proxy.ts';
import { allOrFirst } from '../support/full-suite.ts';
import { RedisServer } from '../support/redis.ts';
import { lastOf, lastSevenOf, RESUMES, ResumeSite, TIMEOUT_MS, untilAnswered, type Visit } from './resume-site.ts';

/** In milliseconds. Long enough that a working Redis does not look broken on a busy machine. */
const PATIENCE_MS = 3_000;

describe('the URL that resumes a sign-in', function () {
  this.timeout(TIMEOUT_MS);
  let redis: RedisServer;
  let site: ResumeSite;

  storesMayTake(PATIENCE_MS);

  before(async () => {
    redis = await RedisServer.start();
    site = await ResumeSite.start(redis);
  });

  after(async () => {
    await site?.stop();
    await redis?.stop();
  });

  for (const [index, [which, resume]] of allOrFirst(Object.entries(RESUMES)).entries()) {
    // In the full suite, test every command of the first kind of URL in RESUMES, but only the last seven of each other
    // kind: the kinds differ only in these, and each failure costs the pause before Redis is reached again.
    const numbersOf = index === 0 ? lastOf : lastSevenOf;
    for (const harm of allOrFirst(HARMS)) {
      it(`${which} works again after any single command has failed: ${harm}`, async () => {
        for (const at of commandsFor(harm, numbersOf(await countCommands(resume)))) await expectRetry(resume, at, harm);
      });
    }

    it(`${which} works at another node if the first node loses Redis at any command`, async () => {
      for (const at of numbersOf(await countCommands(resume))) await expectTakeover(resume, at);
    });
  }

  async function countCommands(resume: (visit: Visit) => Promise<URL>): Promise<number> {
    const visit = await site.visit();
    const url = await resume(visit);
    const all = await site.proxy.count(() => visit.browser.agent.get(url));
    expect(all).to.be.greaterThan(8);
    return all;
  }

  async function expectRetry(resume: (visit: Visit) => Promise<URL>, at: number, harm: Harm): Promise<void> {
    const visit = await site.visit();
    const url = await resume(visit);
    site.proxy.harmAt(at, harm);
    const answer = await visit.browser.agent.get(url);
    site.proxy.heal();
    expect(answer.status, `command ${at}: ${answer.text}`).to.be.oneOf([303, 503]);
    if (answer.status === 503) expect(answer.headers.getSetCookie(), `command ${at}`).to.deep.equal([]);
    await expectTokens(visit, answer.status === 503 ? url : answer.location, `command ${at}`);
  }

  /** Cuts the first node off from Redis before or after the command, and expects that the other node resumes. */
  async function expectTakeover(resume: (visit: Visit) => Promise<URL>, at: number): Promise<void> {
    const visit = await site.visit();
    const url = await resume(visit);
    site.proxy.harmAt(
      at,
      at % 2 === 0 ? 'Redis is lost before it gets the command' : 'Redis is lost after it has run the command',
    );
    const { jar } = visit.browser.agent;
    const before = await jar.store.getAllCookies();
    await visit.browser.agent.get(url);
    // This request may send fewer commands than the counted one, so that no harm was done. Heal the proxy, because the
    // harm would otherwise be done later, to the check of the node's health.
    if (!site.proxy.isHarmDone) site.proxy.heal();
    // Pretend that the answer was lost: give the browser back its earlier cookies.
    await jar.removeAllCookies();
    for (const cookie of before) await jar.store.putCookie(cookie);
    visit.move();
    await expectTokens(visit, url, `command ${at}`);
    site.proxy.heal();
  }

  /** Continues the sign-in, and expects that the RP gets tokens. */
  async function expectTokens(visit: Visit, next: string | URL, hint: string): Promise<void> {
    let location = `${next}`;
    if (next instanceof URL) {
      const answer = await untilAnswered(() => visit.browser.agent.get(next));
      expect(answer.status, `${hint}: ${answer.text}`).to.equal(303);
      ({ location } = answer);
    }
    await site.untilUp();
    const tokens = await visit.redeem(await visit.code(location));
    expect(tokens.status, `${hint}: ${tokens.text}`).to.equal(200);
  }
});
