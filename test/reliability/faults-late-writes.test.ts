/** Redis stops just before it writes what somebody does: they are told to try again, and the write happens all the same. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { expect } from 'chai';
import { SWAP } from '../../src/stores/redis/scripts.ts';
import type { Answer } from '../support/agent.ts';
import { Nodes } from '../support/nodes.ts';
import { patiently } from '../support/page-visitor.ts';
import { RedisServer } from '../support/redis.ts';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';
import { untilAnswered } from './faults.ts';
import { Ear } from './faults-ear.ts';

const BROWSERS = 0;
const PHONES = 1;

/** Milliseconds that the nodes' stores may take: each write that comes too late takes as long. */
const STORE_PATIENCE = 500;

/** Between nodes and Redis: stops Redis just before a ticket is written. */
class StopBeforeSwap {
  armed = false;
  readonly #redis: RedisServer;
  readonly #server: Server;

  constructor(redis: RedisServer) {
    this.#redis = redis;
    this.#server = createServer((node) => {
      const upstream = connect(redis.port, '127.0.0.1');
      node.on('data', (chunk) => {
        if (this.armed && chunk.includes(SWAP.sha)) this.#stop();
        upstream.write(chunk);
      });
      upstream.pipe(node);
      // Whichever side ends first, the other one follows.
      for (const [one, other] of [[node, upstream] as const, [upstream, node] as const]) {
        one.on('error', () => undefined);
        one.on('close', () => other.destroy());
      }
    }).listen(0, '127.0.0.1');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async start(): Promise<this> {
    await once(this.#server, 'listening');
    return this;
  }

  stop(): void {
    this.#server.close();
  }

  #stop(): void {
    this.armed = false;
    this.#redis.pause();
  }
}

interface Act {
  readonly what: string;
  /** What is done before. */
  readonly after: readonly ('scan' | 'approve')[];
  readonly act: (pair: Pair) => Promise<Answer>;
  /** What the browser is told once Redis goes on. */
  readonly shows: string;
  /** What a repetition is answered with. */
  readonly again: (answer: Answer) => unknown;
}

/** A browser and a phone in the middle of a sign-in. */
interface Pair {
  readonly browser: BrowserVisitor;
  readonly phone: PhoneVisitor;
  readonly code: string;
}

const decide =
  (decision: 'approve' | 'deny') =>
  ({ phone }: Pair): Promise<Answer> =>
    phone.decide(decision);

const ACTS: readonly Act[] = [
  {
    what: 'the scan',
    after: [],
    act: ({ phone, code }) => phone.scan(code),
    shows: 'scanned',
    again: (answer) => expect(answer.json().state).to.equal('scanned'),
  },
  {
    what: 'Approve',
    after: ['scan'],
    act: decide('approve'),
    shows: 'approved',
    again: (answer) => expect(answer.status).to.equal(409),
  },
  {
    what: 'Deny',
    after: ['scan'],
    act: decide('deny'),
    shows: 'denied',
    again: (answer) => expect(answer.status).to.equal(409),
  },
  {
    what: 'to finish',
    after: ['scan', 'approve'],
    act: ({ browser }) => browser.finish(),
    shows: 'redeemed',
    again: (answer) => expect(answer.json().redirectTo).to.match(/\/auth\//),
  },
  {
    what: 'a new code',
    after: ['scan'],
    act: ({ browser }) => browser.post(`${browser.at}/qr/renew`, { version: '2' }),
    shows: 'waiting',
    // The one that is there, and not yet another one.
    again: (answer) => expect(answer.json()).to.include({ state: 'waiting', version: 4 }),
  },
];

describe('a write that happens after the answer said 503', () => {
  let redis: RedisServer;
  let link: StopBeforeSwap;
  let nodes: Nodes;
  let people = 0;

  before(async () => {
    redis = await RedisServer.start();
    link = await new StopBeforeSwap(redis).start();
    const address = { url: `redis://127.0.0.1:${link.port}` };
    nodes = await Nodes.start({ redis: address, nodes: [{}, {}], people: 20, storePatience: STORE_PATIENCE });
  });

  after(async () => {
    redis?.resume();
    await nodes?.stop();
    link?.stop();
    await redis?.stop();
  });

  const start = async (done: readonly ('scan' | 'approve')[]): Promise<Pair & { ear: Ear; accountId: string }> => {
    const accountId = `user${people++}`;
    // The nodes may not have noticed yet that Redis is there again, and on a slow machine it may seem to be gone at any time.
    const browser = new BrowserVisitor(nodes.site, patiently(nodes.networkTo(BROWSERS)));
    const phone = new PhoneVisitor(nodes.site, patiently(nodes.networkTo(PHONES)));
    await browser.start();
    const code = await browser.code();
    await phone.signInAt(code, accountId);
    if (done.includes('scan')) expect((await phone.scan(code)).status).to.equal(200);
    if (done.includes('approve')) expect(await phone.approve()).to.include({ state: 'approved' });
    return { browser, phone, code, accountId, ear: new Ear(await browser.events()) };
  };

  /** Does it once, while Redis stops, and lets Redis go on. */
  const doTooLate = async ({ browser, phone }: Pair, act: () => Promise<Answer>): Promise<Answer> => {
    const usual = [browser.network, phone.network] as const;
    [browser.network, phone.network] = [nodes.networkTo(BROWSERS), nodes.networkTo(PHONES)];
    link.armed = true;
    const answer = await act();
    redis.resume();
    [browser.network, phone.network] = usual;
    expect(answer.status).to.equal(503);
    expect(Number(answer.headers.get('retry-after'))).to.be.greaterThan(0);
    return answer;
  };

  for (const { what, after, act, shows, again } of ACTS) {
    it(`${what}: the browser is told, and to repeat it is harmless`, async () => {
      const { ear, ...pair } = await start(after);
      await doTooLate(pair, () => act(pair));
      await ear.shows(shows, ({ state }) => state === shows);
      again(await untilAnswered(() => act(pair)));
      await ear.shows(shows, ({ state }) => state === shows, 0);
      ear.close();
    });
  }

  it('Approve in a form: the page says that nothing is certain yet, and leads to the done page', async () => {
    const { ear, accountId, ...pair } = await start(['scan']);
    const { browser, phone } = pair;
    const { csrf } = (await phone.look()).json();
    const page = await doTooLate(pair, () => phone.submit(phone.at, { csrf: `${csrf}`, decision: 'approve' }));
    // An empty address is that of the page itself, which is asked for by GET.
    expect(page.text).to.contain('data-error="store_unavailable"').and.contain('href=""');
    await ear.shows('approved', ({ state }) => state === 'approved');

    const done = await untilAnswered(() => phone.agent.get(phone.at, { headers: { accept: 'text/html' } }));
    expect(done.status).to.equal(200);
    expect(done.text).to.contain('mark-yes').and.not.contain('name="decision"');
    const { redirectTo } = (await untilAnswered(() => browser.finish())).json();
    expect((await browser.tokens(redirectTo)).claims()?.sub).to.equal(accountId);
    ear.close();
  });

  it('to finish: the same browser finishes again, and is signed in once', async () => {
    const { ear, accountId, ...pair } = await start(['scan', 'approve']);
    const { browser } = pair;
    await doTooLate(pair, () => browser.finish());
    await ear.shows('redeemed', ({ state }) => state === 'redeemed');
    const { redirectTo } = (await untilAnswered(() => browser.finish())).json();
    expect((await browser.tokens(redirectTo)).claims()?.sub).to.equal(accountId);
    ear.close();
  });
});
