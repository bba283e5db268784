/**
 * Tests late writes: Redis stops before a write, the request gets a 503, and the write happens when Redis continues.
 */
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
import { TicketStream } from './ticket-stream.ts';

const BROWSERS = 0;
const PHONES = 1;

/** The time that the nodes' stores may take. Each late write of a test takes this long. */
const STORE_PATIENCE_MS = 500;

/** A proxy between the nodes and Redis. If it is armed, it stops Redis just before a ticket is written. */
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
      // If one side ends, end the other side.
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
  /** The acts before the tested act. */
  readonly after: readonly ('scan' | 'approve')[];
  readonly act: (pair: Pair) => Promise<Answer>;
  /** The state that the browser shows when Redis continues. */
  readonly shows: string;
  /** Expects the right answer to a repetition of the act. */
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
    again: (answer) => expect(answer.json().state).to.equal('approved'),
  },
  {
    what: 'Deny',
    after: ['scan'],
    act: decide('deny'),
    shows: 'denied',
    again: (answer) => expect(answer.json().state).to.equal('denied'),
  },
  {
    what: 'the finish',
    after: ['scan', 'approve'],
    act: ({ browser }) => browser.finish(),
    shows: 'redeemed',
    again: (answer) => expect(answer.json().redirectTo).to.match(/\/auth\//),
  },
  {
    what: 'the request for a new code',
    after: ['scan'],
    act: ({ browser }) => browser.post(`${browser.at}/qr/renew`, { version: '2' }),
    shows: 'waiting',
    // The answer is the ticket that was written late, and not another new ticket.
    again: (answer) => expect(answer.json()).to.include({ state: 'waiting', version: 4 }),
  },
];

describe('after a 503 to a request whose write to Redis takes effect later,', () => {
  let redis: RedisServer;
  let proxy: StopBeforeSwap;
  let nodes: Nodes;
  let people = 0;

  before(async () => {
    redis = await RedisServer.start();
    proxy = await new StopBeforeSwap(redis).start();
    const address = { url: `redis://127.0.0.1:${proxy.port}` };
    nodes = await Nodes.start({ redis: address, nodes: [{}, {}], people: 20, storePatience: STORE_PATIENCE_MS });
  });

  after(async () => {
    redis?.resume();
    await nodes?.stop();
    proxy?.stop();
    await redis?.stop();
  });

  const start = async (
    done: readonly ('scan' | 'approve')[],
  ): Promise<Pair & { stream: TicketStream; accountId: string }> => {
    const accountId = `user${people++}`;
    // The nodes may not have noticed yet that Redis is back, and on a slow machine it may seem unavailable at any time.
    const browser = new BrowserVisitor(nodes.site, patiently(nodes.networkTo(BROWSERS)));
    const phone = new PhoneVisitor(nodes.site, patiently(nodes.networkTo(PHONES)));
    await browser.start();
    const code = await browser.code();
    await phone.signInAt(code, accountId);
    if (done.includes('scan')) expect((await phone.scan(code)).status).to.equal(200);
    if (done.includes('approve')) expect(await phone.approve()).to.include({ state: 'approved' });
    return { browser, phone, code, accountId, stream: new TicketStream(await browser.events()) };
  };

  /** Sends one request whose write makes Redis pause, expects a 503, and lets Redis continue. */
  const sendBeforePause = async ({ browser, phone }: Pair, act: () => Promise<Answer>): Promise<Answer> => {
    const usual = [browser.network, phone.network] as const;
    [browser.network, phone.network] = [nodes.networkTo(BROWSERS), nodes.networkTo(PHONES)];
    proxy.armed = true;
    const answer = await act();
    redis.resume();
    [browser.network, phone.network] = usual;
    expect(answer.status).to.equal(503);
    expect(Number(answer.headers.get('retry-after'))).to.be.greaterThan(0);
    return answer;
  };

  for (const { what, after, act, shows, again } of ACTS) {
    it(`the browser shows the result of ${what}, and a repetition changes nothing`, async () => {
      const { stream, ...pair } = await start(after);
      await sendBeforePause(pair, () => act(pair));
      await stream.waitFor(shows, ({ state }) => state === shows);
      again(await untilAnswered(() => act(pair)));
      await stream.waitFor(shows, ({ state }) => state === shows, 0);
      stream.close();
    });
  }

  it('the error page that answers the Approve form links to the done page', async () => {
    const { stream, accountId, ...pair } = await start(['scan']);
    const { browser, phone } = pair;
    const { csrf } = (await phone.look()).json();
    const page = await sendBeforePause(pair, () => phone.submit(phone.at, { csrf: `${csrf}`, decision: 'approve' }));
    // An empty URL means the URL of the page, which the browser then requests by GET.
    expect(page.text).to.contain('data-error="store_unavailable"').and.contain('href=""');
    await stream.waitFor('approved', ({ state }) => state === 'approved');

    const done = await untilAnswered(() => phone.agent.get(phone.at, { headers: { accept: 'text/html' } }));
    expect(done.status).to.equal(200);
    expect(done.text).to.contain('mark-yes').and.not.contain('value="approve"');
    const { redirectTo } = (await untilAnswered(() => browser.finish())).json();
    expect((await browser.tokens(redirectTo)).claims()?.sub).to.equal(accountId);
    stream.close();
  });

  it('the same browser can repeat its finish, and is signed in once', async () => {
    const { stream, accountId, ...pair } = await start(['scan', 'approve']);
    const { browser } = pair;
    await sendBeforePause(pair, () => browser.finish());
    await stream.waitFor('redeemed', ({ state }) => state === 'redeemed');
    const { redirectTo } = (await untilAnswered(() => browser.finish())).json();
    expect((await browser.tokens(redirectTo)).claims()?.sub).to.equal(accountId);
    stream.close();
  });
});
