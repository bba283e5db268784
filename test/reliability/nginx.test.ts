import { expect } from 'chai';
import { networkTo } from '../support/balancer.ts';
import { type Nginx, startBalancer } from '../support/balancer-nginx.ts';
import { inFullSuite, isFullSuite, sizeOfSuite } from '../support/full-suite.ts';
import { Nodes } from '../support/nodes.ts';
import { PageVisitor, patiently } from '../support/page-visitor.ts';
import { RedisServer } from '../support/redis.ts';
import { freePort } from '../support/server.ts';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';

const PEOPLE = sizeOfSuite({ short: 4, full: 12 });
/** Longer than the 15 s between two heartbeats of a stream, and shorter than a long poll. */
const IMPATIENT = 'proxy_read_timeout 20s;';
const LONG_POLL_MS = 25_000;

describe('nodes behind nginx with its defaults', function () {
  // In the full suite, a test waits for a long poll of 25 s.
  this.timeout(120_000);
  let redis: RedisServer;
  let nodes: Nodes;
  const nginxes: Nginx[] = [];
  /** A sign-in in which nothing happens for half a minute. It runs beside the other tests of the full suite. */
  let silence: ReturnType<typeof waitInSilence> | undefined;

  before(async () => {
    redis = await RedisServer.start();
    const port = await freePort();
    nodes = await Nodes.start({
      redis: { url: redis.url },
      nodes: sizeOfSuite({ short: [{}, {}], full: [{}, {}, {}] }),
      issuer: `http://localhost:${port}`,
      people: PEOPLE,
    });
    nginxes.push(await startBalancer({ port, nodes: nodes.ports }));
    if (!isFullSuite) return;
    const impatient = await startBalancer({ port: await freePort(), nodes: nodes.ports, special: IMPATIENT });
    nginxes.push(impatient);
    silence = waitInSilence(nodes, impatient);
    // Mark the promise as handled. A test awaits it later and reports a rejection, which must not count as unhandled
    // until then.
    silence.catch(() => undefined);
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(nodes?.complaints ?? '');
  });

  after(async () => {
    await nodes?.stop();
    for (const nginx of nginxes) await nginx.stop();
    await redis?.stop();
  });

  it('send streams without delay, although nginx buffers answers', async () => {
    const browser = new BrowserVisitor(nodes.site);
    await browser.start();
    // If nginx buffered the stream, nothing would arrive before its end, and it does not end.
    const stream = await browser.events();
    await stream.ticket('waiting');
    expect(stream.response.headers.get('server')).to.match(/^nginx/);

    const phone = new PhoneVisitor(nodes.site);
    const code = await browser.code();
    await phone.signInAt(code);
    await phone.scan(code);
    await stream.ticket('scanned');
    stream.close();
  });

  it('sign each browser in with the right account', async () => {
    const subs = await Promise.all(
      Array.from({ length: PEOPLE }, async (_, index) => {
        const { page, phone } = await scanCode(`user${index}`);
        const approved = page.untilState('approved');
        await phone.approve();
        await approved;
        return finish(page);
      }),
    );
    expect(subs).to.deep.equal(subs.map((_, index) => `user${index}`));
  });

  inFullSuite(() => {
    it('keep an idle stream open for longer than nginx waits', async () => {
      const { beats, sub } = (await silence) ?? {};
      expect(beats).to.be.at.least(1);
      expect(sub).to.equal('a11ce');
    });

    it('answer an idle long poll before nginx gives up', async () => {
      const { known, polled, pollTook } = (await silence) ?? {};
      expect(polled).to.include({ state: 'scanned', version: known });
      expect(pollTook).to.be.at.least(LONG_POLL_MS - 1_000);
    });
  });

  it('continue sign-ins after a node was killed', async () => {
    const people = await Promise.all(Array.from({ length: PEOPLE }, (_, index) => scanCode(`user${index}`)));
    const watching = people.map(({ page }) => page.untilState('approved'));
    await Promise.all(people.map(({ page }) => page.listens));

    await nodes.kill(0);
    const subs = await Promise.all(
      people.map(async ({ page, phone }, index) => {
        await phone.approve();
        await watching[index];
        return finish(page);
      }),
    );

    expect(subs).to.deep.equal(subs.map((_, index) => `user${index}`));
    // Some pages had their streams at the node that was killed.
    expect(people.flatMap(({ page }) => page.ends)).to.include('broken');
    expect(nodes.alive).to.deep.equal(nodes.ports.map((_, index) => index !== 0));
  });

  /** Starts a sign-in and scans its code. */
  async function scanCode(name: string): Promise<{ page: PageVisitor; phone: PhoneVisitor }> {
    const network = patiently(fetch);
    const page = new PageVisitor(nodes.site, network);
    const phone = new PhoneVisitor(nodes.site, network);
    await page.start();
    const code = await page.code();
    await phone.signInAt(code, name);
    await phone.scan(code);
    return { page, phone };
  }
});

interface Silence {
  /** The number of heartbeats on the stream. */
  readonly beats: number;
  readonly sub: string | undefined;
  /** The version of the ticket when the long poll began. */
  readonly known: unknown;
  /** The answer to the long poll. */
  readonly polled: Record<string, unknown>;
  readonly pollTook: number;
}

/** Runs a sign-in that is idle after its scan: no new codes are shown, so the stream sends only heartbeats. */
async function waitInSilence(nodes: Nodes, impatient: Nginx): Promise<Silence> {
  const browser = new BrowserVisitor(nodes.site);
  const phone = new PhoneVisitor(nodes.site);
  await browser.start();
  const code = await browser.code();
  await phone.signInAt(code);
  await phone.scan(code);
  browser.network = networkTo(impatient, nodes.issuer);
  const stream = await browser.events();
  const { version: known } = await stream.ticket('scanned');
  const counted = untilApproved(stream);

  browser.network = fetch;
  const asked = performance.now();
  const polled = await browser.after(known);
  const pollTook = performance.now() - asked;

  await phone.approve();
  const beats = await counted;
  stream.close();
  return { beats, sub: await finish(browser), known, polled, pollTook };
}

/** Reads a stream until it shows the approval. @returns the number of heartbeats before that */
async function untilApproved(stream: { block: () => Promise<string | undefined> }): Promise<number> {
  for (let beats = 0; ; ) {
    const block = await stream.block();
    if (block === undefined) throw new Error('the stream has ended');
    if (block.includes('"state":"approved"')) return beats;
    if (!block.startsWith('event: heartbeat')) throw new Error(`this is not a heartbeat: ${block}`);
    beats += 1;
  }
}

async function finish(browser: BrowserVisitor): Promise<string | undefined> {
  const { redirectTo } = (await browser.finish()).json();
  return (await browser.tokens(redirectTo)).claims()?.sub;
}
