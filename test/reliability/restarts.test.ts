import { expect } from 'chai';
import { sizeOfSuite } from '../support/full-suite.ts';
import { Nodes } from '../support/nodes.ts';
import { PageVisitor, patiently } from '../support/page-visitor.ts';
import { RedisServer } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { PhoneVisitor } from '../support/visitors.ts';

const NODES = sizeOfSuite({ short: [0, 1], full: [0, 1, 2] });
const PEOPLE = sizeOfSuite({ short: 5, full: 10 });
/** The number of concurrent sign-ins. */
const CROWD = sizeOfSuite({ short: 1, full: 4 });
/** The connections of a node: one for commands and one subscriber. */
const CONNECTIONS = 2;

interface SignIn {
  readonly expected: string;
  readonly sub: string | undefined;
}

describe('a rolling restart', function () {
  // Nodes are restarted one after the other, while sign-ins run all the time.
  this.timeout(180_000);
  let redis: RedisServer;
  let nodes: Nodes;

  before(async () => {
    redis = await RedisServer.start();
    nodes = await Nodes.start({ redis: { url: redis.url }, nodes: NODES.map(() => ({})), people: PEOPLE });
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(nodes?.complaints ?? '');
  });

  after(async () => {
    await nodes?.stop();
    await redis?.stop();
  });

  it('loses no sign-in, and leaves no connection behind', async () => {
    const network = patiently(nodes.roundRobin());
    let over = false;
    const done: SignIn[] = [];
    const crowd = Array.from({ length: CROWD }, async (_, index) => {
      for (let turn = index; !over; turn += CROWD) done.push(await signIn(network, `user${turn % PEOPLE}`));
    });

    await untilClients(redis, NODES.length * CONNECTIONS);
    const before = await clients(redis);
    for (const node of NODES) {
      const doneBefore = done.length;
      expect(await nodes.terminate(node)).to.equal(0);
      await untilClients(redis, (NODES.length - 1) * CONNECTIONS);
      await until(() => done.length > doneBefore);
      await nodes.restart(node);
      await untilClients(redis, NODES.length * CONNECTIONS);
    }
    over = true;
    await Promise.all(crowd);

    const after = await clients(redis);
    expect(after.filter((client) => before.includes(client))).to.deep.equal([]);
    for (const { sub, expected } of done) expect(sub).to.equal(expected);
    await nodes.untilAllPrinted();
    const finished = nodes.events('qr_login.finished').map(({ ticket }) => ticket);
    expect(new Set(finished).size).to.equal(done.length);
    expect(finished).to.have.length(done.length);
  });

  it('tells each page when to reconnect, and the page gets the approval at another node', async () => {
    const network = patiently(nodes.roundRobin());
    const pages = await Promise.all(
      Array.from({ length: PEOPLE }, async (_, index) => {
        const page = new PageVisitor(nodes.site, nodes.networkTo(0));
        await page.start();
        const phone = new PhoneVisitor(nodes.site, nodes.networkTo(1));
        const code = await page.code();
        await phone.signInAt(code, `user${index}`);
        await phone.scan(code);
        const watching = page.untilState('approved');
        return { page, phone, watching };
      }),
    );
    await Promise.all(pages.map(({ page }) => page.listens));
    for (const { page } of pages) page.network = network;

    expect(await nodes.terminate(0)).to.equal(0);
    const subs = await Promise.all(
      pages.map(async ({ page, phone, watching }) => {
        await phone.approve();
        await watching;
        const { redirectTo } = (await page.finish()).json();
        return (await page.tokens(redirectTo)).claims()?.sub;
      }),
    );

    expect(subs).to.deep.equal(pages.map((_, index) => `user${index}`));
    const retries = pages.flatMap(({ page }) => page.ends).map((end) => (end === 'broken' ? -1 : end.retry));
    expect(retries).to.have.length(PEOPLE);
    for (const retry of retries) expect(retry).to.be.within(0, 2_000);
    // The pages must not all reconnect at the same time.
    expect(new Set(retries).size).to.be.above(PEOPLE / 2);
  });

  async function signIn(network: typeof fetch, expected: string): Promise<SignIn> {
    const page = new PageVisitor(nodes.site, network);
    const phone = new PhoneVisitor(nodes.site, network);
    await page.start();
    const scanned = page.untilState('scanned');
    const code = await page.code();
    await phone.signInAt(code, expected);
    expect((await phone.scan(code)).status).to.equal(200);
    await scanned;
    const approved = page.untilState('approved');
    expect(await phone.approve()).to.include({ state: 'approved' });
    await approved;
    const { redirectTo } = (await page.finish()).json();
    return { expected, sub: (await page.tokens(redirectTo)).claims()?.sub };
  }
});

/** Returns all connections to Redis except the one that lists them. */
async function clients(redis: RedisServer): Promise<string[]> {
  const lines = `${await redis.command('CLIENT', 'LIST')}`.split('\n').filter((line) => line !== '');
  return lines.filter((line) => !line.includes(' cmd=client|list ')).map((line) => line.split(' ')[0] ?? '');
}

/** Waits for a number of connections, because Redis takes a moment to notice that a client has left. */
async function untilClients(redis: RedisServer, count: number): Promise<void> {
  await until(async () => (await clients(redis)).length === count);
}
