import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { PATIENCE_MS } from '../../src/stores/deadline.ts';
import type { Answer } from '../support/agent.ts';
import { inFullSuite, sizeOfSuite } from '../support/full-suite.ts';
import { Nodes } from '../support/nodes.ts';
import { patiently } from '../support/page-visitor.ts';
import { RedisServer, startReplica } from '../support/redis.ts';
import { type Sentinel, startSentinel } from '../support/redis-sentinel.ts';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';

/**
 * The number of sign-ins that are ready to finish when a failover begins. Half of them finish at the same time, the
 * others one after the other during the failover.
 */
const SIGN_INS = sizeOfSuite({ short: 4, full: 12 });
const ONE_EVERY_MS = 500;

/** The plugin's default time-out. While there is no master, a browser soon gets an answer that says to try again. */
const STORE_PATIENCE_MS = PATIENCE_MS;

interface ApprovedSignIn {
  readonly browser: BrowserVisitor;
  readonly user: string;
  readonly stranger: Stranger;
}

describe('a failover to a replica while browsers finish', function () {
  // A failover takes seconds, and many sign-ins happen meanwhile.
  this.timeout(180_000);
  const redises: RedisServer[] = [];
  let sentinel: Sentinel | undefined;
  let nodes: Nodes;

  before(async () => {
    const first = await RedisServer.start();
    redises.push(first);
    // Each test makes another server the master, and the last two tests kill a master.
    redises.push(await startReplica(first), await startReplica(first));
    sentinel = await startSentinel(first, ...redises.slice(1));
    nodes = await Nodes.start({
      redis: sentinel.options,
      nodes: sizeOfSuite({ short: [{}, {}], full: [{}, {}, {}] }),
      people: SIGN_INS,
      storePatience: STORE_PATIENCE_MS,
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

  it('signs in every approved browser, and no other browser, if the master is replaced', () =>
    expectAllIn(async () => {
      await runningSentinel().failover();
    }));

  inFullSuite(() => {
    it('signs in every approved browser, and no other browser, if the master dies', () =>
      expectAllIn(async () => {
        const master = await currentMaster();
        await Promise.all([runningSentinel().untilSwitched(), master.kill()]);
      }));
  });

  it('lets only the same browser finish again, if the first finish has not reached the new master', async () => {
    const signIns = await Promise.all([approveSignIn(0), approveSignIn(1)]);
    const [waits, goesOn] = signIns;
    await whileReplicasAreCutOff(async () => {
      expect((await waits.browser.finish()).status).to.equal(200);
      expect(await finishSignIn(goesOn.browser)).to.equal(goesOn.user);
    });

    const network = patiently(nodes.roundRobin());
    const bob = new PhoneVisitor(nodes.site, network);
    await bob.signInAt(`${nodes.issuer}/account`, 'bob');
    for (const { stranger } of signIns) {
      expect((await stranger.finish()).map(({ status }) => status)).to.deep.equal([404, 404]);
      expect((await bob.look(stranger.ticket)).status).to.equal(404);
    }
    // Wait for all nodes, because a 503 in the middle of the provider's resume would end the sign-in.
    await untilReady();
    // This browser finishes again, as it would if the first answer had been lost.
    waits.browser.network = network;
    expect(await finishSignIn(waits.browser)).to.equal(waits.user);
    // The session of this user was lost with the old master.
    expect(await startAgain(goesOn.user)).to.equal(goesOn.user);
  });

  /** Runs the function on a master that dies before its replicas get the writes. */
  async function whileReplicasAreCutOff(act: () => Promise<void>): Promise<void> {
    const master = await currentMaster();
    const replicas = redises.filter((redis) => redis.alive && redis !== master);
    for (const replica of replicas) replica.pause();
    await master.command('CLIENT', 'KILL', 'TYPE', 'replica');
    await act();
    const switched = runningSentinel().untilSwitched();
    await master.kill();
    for (const replica of replicas) replica.resume();
    await switched;
  }

  /** Waits until each node answers that it can take requests. */
  async function untilReady(): Promise<void> {
    const networks = nodes.ports.map((_, index) => patiently(nodes.networkTo(index)));
    await Promise.all(networks.map((network) => network(`${nodes.issuer}/health`)));
  }

  function runningSentinel(): Sentinel {
    if (sentinel === undefined) throw new Error('not started');
    return sentinel;
  }

  async function currentMaster(): Promise<RedisServer> {
    const port = await runningSentinel().masterPort();
    const master = redises.find((redis) => redis.port === port);
    if (master === undefined) throw new Error(`there is no server for the master at ${port}`);
    return master;
  }

  /** Runs a failover while browsers finish. Expects that each is signed in at the end, with the right account. */
  async function expectAllIn(failover: () => Promise<void>): Promise<void> {
    const signIns = await Promise.all(Array.from({ length: SIGN_INS }, (_, index) => approveSignIn(index)));

    const [, ...subs] = await Promise.all([
      failover(),
      ...signIns.map(async ({ browser, user, stranger }, index) => {
        await pause(Math.max(0, index - SIGN_INS / 2) * ONE_EVERY_MS);
        const strange = stranger.finish();
        browser.network = patiently(nodes.roundRobin());
        const sub = await finishSignIn(browser).catch(() => startAgain(user));
        for (const { status } of await strange) expect(status).to.be.at.least(400);
        return sub;
      }),
    ]);

    expect(subs).to.deep.equal(signIns.map(({ user }) => user));
    for (const { stranger } of signIns) {
      expect((await stranger.finish()).map(({ status }) => status)).to.deep.equal([404, 404]);
    }
  }

  async function approveSignIn(index: number): Promise<ApprovedSignIn> {
    // The nodes may still be looking for the new master of the previous test.
    const network = patiently(nodes.roundRobin());
    const browser = new BrowserVisitor(nodes.site, network);
    const user = `user${index}`;
    const ticket = await approve(browser, user, network);
    const stranger = await Stranger.to(nodes, browser.at, ticket);
    return { browser, user, stranger };
  }

  /** Starts a new sign-in from the RP, if the first one cannot continue. */
  async function startAgain(user: string): Promise<string | undefined> {
    const network = patiently(nodes.roundRobin());
    const browser = new BrowserVisitor(nodes.site, network);
    await approve(browser, user, network);
    return finishSignIn(browser);
  }

  /** Scans and approves. @returns the phone's URL of the ticket */
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

async function finishSignIn(browser: BrowserVisitor): Promise<string | undefined> {
  const { redirectTo } = (await browser.finish()).json();
  return (await browser.tokens(redirectTo)).claims()?.sub;
}

/** A second browser with its own interaction. It knows the interaction URL and the ticket of another browser. */
class Stranger {
  readonly browser: BrowserVisitor;
  readonly ticket: string;
  readonly #otherAt: string;

  private constructor(browser: BrowserVisitor, otherAt: string, ticket: string) {
    this.browser = browser;
    this.#otherAt = otherAt;
    this.ticket = ticket;
  }

  static async to(nodes: Nodes, otherAt: string, ticket: string): Promise<Stranger> {
    const browser = new BrowserVisitor(nodes.site, patiently(nodes.roundRobin()));
    await browser.start();
    return new Stranger(browser, otherAt, ticket);
  }

  /** Tries to finish the other browser's sign-in: as a browser would, and with its own cookies at the foreign path. */
  async finish(): Promise<Answer[]> {
    const { agent, at } = this.browser;
    const url = `${this.#otherAt}/qr/finish`;
    const cookie = await agent.jar.getCookieString(at);
    const headers = { accept: 'application/json', cookie };
    return Promise.all([this.browser.post(url, {}), agent.post(url, { json: {}, headers })]);
  }
}
