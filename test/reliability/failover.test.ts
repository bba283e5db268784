import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { PATIENCE } from '../../src/stores/access.ts';
import type { Answer } from '../support/agent.ts';
import { inFullSuite, sizeOfSuite } from '../support/full-suite.ts';
import { Nodes } from '../support/nodes.ts';
import { patiently } from '../support/page-visitor.ts';
import { RedisServer, startReplica } from '../support/redis.ts';
import { type Sentinel, startSentinel } from '../support/redis-sentinel.ts';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';

/** Who is ready to finish when a failover begins. Half of them do at once, the others one after the other while it goes on. */
const PEOPLE = sizeOfSuite({ short: 4, full: 12 });
const ONE_EVERY = 500;

/** In milliseconds, as by default: while there is no master, an answer says soon that people have to try again. */
const STORE_PATIENCE = PATIENCE;

interface Ready {
  readonly browser: BrowserVisitor;
  readonly user: string;
  readonly stranger: Stranger;
}

describe('a failover to a replica in the middle of redeem', function () {
  // A failover takes seconds by itself, and many sign-ins are on their way meanwhile.
  this.timeout(180_000);
  const redises: RedisServer[] = [];
  let sentinel: Sentinel | undefined;
  let nodes: Nodes;

  before(async () => {
    const first = await RedisServer.start();
    redises.push(first);
    // Each test makes another one the master, and the last two end a master.
    redises.push(await startReplica(first), await startReplica(first));
    sentinel = await startSentinel(first, ...redises.slice(1));
    nodes = await Nodes.start({
      redis: sentinel.options,
      nodes: sizeOfSuite({ short: [{}, {}], full: [{}, {}, {}] }),
      people: PEOPLE,
      storePatience: STORE_PATIENCE,
    });
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(nodes?.complaints ?? '');
  });

  after(async () => {
    await nodes?.stop();
    await sentinel?.stop();
    await Promise.all(redises.map((redis) => redis.stop()));
  });

  it('signs in whoever was approved, and nobody else, when the master is replaced', () =>
    expectAllIn(async () => {
      await watched().failover();
    }));

  inFullSuite(() => {
    it('signs in whoever was approved, and nobody else, when the master dies', () =>
      expectAllIn(async () => {
        const master = await currentMaster();
        await Promise.all([watched().switched(), master.kill()]);
      }));
  });

  it('lets the same browser finish again, and no other one, where the new master never heard of it', async () => {
    const people = await Promise.all([ready(0), ready(1)]);
    const [waits, goesOn] = people;
    await withReplicasDeaf(async () => {
      expect((await waits.browser.finish()).status).to.equal(200);
      expect(await signedIn(goesOn.browser)).to.equal(goesOn.user);
    });

    const network = patiently(nodes.roundRobin());
    const bob = new PhoneVisitor(nodes.site, network);
    await bob.signInAt(`${nodes.issuer}/account`, 'bob');
    for (const { stranger } of people) {
      expect((await stranger.finish()).map(({ status }) => status)).to.deep.equal([404, 404]);
      expect((await bob.look(stranger.ticket)).status).to.equal(404);
    }
    // To whom the first answer got lost.
    waits.browser.network = network;
    expect(await signedIn(waits.browser)).to.equal(waits.user);
    // Whose session got lost.
    expect(await startAgain(goesOn.user)).to.equal(goesOn.user);
  });

  /** The master answers what is done meanwhile, and dies before its replicas hear of it. */
  async function withReplicasDeaf(act: () => Promise<void>): Promise<void> {
    const master = await currentMaster();
    const replicas = redises.filter((redis) => redis.alive && redis !== master);
    for (const replica of replicas) replica.pause();
    await master.command('CLIENT', 'KILL', 'TYPE', 'replica');
    await act();
    const switched = watched().switched();
    await master.kill();
    for (const replica of replicas) replica.resume();
    await switched;
  }

  function watched(): Sentinel {
    if (sentinel === undefined) throw new Error('not started');
    return sentinel;
  }

  async function currentMaster(): Promise<RedisServer> {
    const port = await watched().masterPort();
    const master = redises.find((redis) => redis.port === port);
    if (master === undefined) throw new Error(`nobody knows the master at ${port}`);
    return master;
  }

  /** Makes a failover while people finish; in the end each of them is signed in, with the own account. */
  async function expectAllIn(failover: () => Promise<void>): Promise<void> {
    const people = await Promise.all(Array.from({ length: PEOPLE }, (_, index) => ready(index)));

    const [, ...subs] = await Promise.all([
      failover(),
      ...people.map(async ({ browser, user, stranger }, index) => {
        await pause(Math.max(0, index - PEOPLE / 2) * ONE_EVERY);
        const strange = stranger.finish();
        browser.network = patiently(nodes.roundRobin());
        const sub = await signedIn(browser).catch(() => startAgain(user));
        for (const { status } of await strange) expect(status).to.be.at.least(400);
        return sub;
      }),
    ]);

    expect(subs).to.deep.equal(people.map(({ user }) => user));
    for (const { stranger } of people) {
      expect((await stranger.finish()).map(({ status }) => status)).to.deep.equal([404, 404]);
    }
  }

  async function ready(index: number): Promise<Ready> {
    // The nodes may still be looking for the master that the last test has left.
    const network = patiently(nodes.roundRobin());
    const browser = new BrowserVisitor(nodes.site, network);
    const user = `user${index}`;
    const ticket = await approve(browser, user, network);
    const stranger = await Stranger.to(nodes, browser.at, ticket);
    return { browser, user, stranger };
  }

  /** Whoever cannot go on goes back to the app. */
  async function startAgain(user: string): Promise<string | undefined> {
    const network = patiently(nodes.roundRobin());
    const browser = new BrowserVisitor(nodes.site, network);
    await approve(browser, user, network);
    return signedIn(browser);
  }

  /** @returns the URL of the ticket, as the phone knows it */
  async function approve(browser: BrowserVisitor, user: string, network: typeof fetch): Promise<string> {
    const phone = new PhoneVisitor(nodes.site, network);
    await browser.start();
    const code = await browser.code();
    await phone.signInAt(code, user);
    await phone.scan(code);
    expect(await phone.approve()).to.include({ state: 'approved' });
    return phone.at;
  }
});

async function signedIn(browser: BrowserVisitor): Promise<string | undefined> {
  const { redirectTo } = (await browser.finish()).json();
  return (await browser.tokens(redirectTo)).claims()?.sub;
}

/** A second browser, with an interaction of its own, which knows all addresses of somebody else's sign-in. */
class Stranger {
  readonly browser: BrowserVisitor;
  readonly ticket: string;
  readonly #theirs: string;

  private constructor(browser: BrowserVisitor, theirs: string, ticket: string) {
    this.browser = browser;
    this.#theirs = theirs;
    this.ticket = ticket;
  }

  static async to(nodes: Nodes, theirs: string, ticket: string): Promise<Stranger> {
    const browser = new BrowserVisitor(nodes.site, patiently(nodes.roundRobin()));
    await browser.start();
    return new Stranger(browser, theirs, ticket);
  }

  /** Tries to finish that sign-in, once as a browser would and once with its own cookies although they are not for there. */
  async finish(): Promise<Answer[]> {
    const { agent, at } = this.browser;
    const url = `${this.#theirs}/qr/finish`;
    const cookie = await agent.jar.getCookieString(at);
    const headers = { accept: 'application/json', cookie };
    return Promise.all([this.browser.post(url, {}), agent.post(url, { json: {}, headers })]);
  }
}
