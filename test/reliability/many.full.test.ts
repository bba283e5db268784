import { expect } from 'chai';
import { traceIn } from '../support/codes.ts';
import { Nodes } from '../support/nodes.ts';
import { RedisServer } from '../support/redis.ts';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';

const MANY = 200;

describe('two hundred concurrent sign-ins over nodes in turn (round robin)', () => {
  let redis: RedisServer;
  let nodes: Nodes;

  before(async () => {
    redis = await RedisServer.start();
    nodes = await Nodes.start({ redis: { url: redis.url }, people: MANY });
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(nodes?.complaints ?? '');
  });

  after(async () => {
    await nodes?.stop();
    await redis?.stop();
  });

  it('sign every browser in to the account of its own phone, and finish every ticket once', async function () {
    // Two hundred sign-ins take most of a minute of computing time.
    this.timeout(300_000);
    const network = nodes.roundRobin();

    const outcomes = await Promise.all(
      Array.from({ length: MANY }, async (_, index) => {
        const browser = new BrowserVisitor(nodes.site, network);
        const phone = new PhoneVisitor(nodes.site, network);
        await browser.start();
        const stream = await browser.events();
        const code = await browser.code();
        await phone.signInAt(code, `user${index}`);
        await phone.scan(code);
        await stream.ticket('scanned');
        await phone.approve();
        await stream.ticket('approved');
        stream.close();
        const { redirectTo } = (await browser.finish()).json();
        return { ticket: traceIn(code), sub: (await browser.tokens(redirectTo)).claims()?.sub };
      }),
    );

    expect(outcomes.map(({ sub }) => sub)).to.deep.equal(outcomes.map((_, index) => `user${index}`));
    await nodes.untilAllPrinted();
    const finished = nodes.events('qr_login.finished');
    expect(finished.map(({ ticket, accountId }) => `${accountId} by ${ticket}`)).to.have.members(
      outcomes.map(({ ticket }, index) => `user${index} by ${ticket}`),
    );
    expect(nodes.events('qr_login.failed')).to.deep.equal([]);
  });
});
