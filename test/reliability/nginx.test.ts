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
/** Longer than the 15 seconds after which a stream says something, shorter than a long poll. */
const IMPATIENT = 'proxy_read_timeout 20s;';
const LONG_POLL = 25_000;

describe('nodes behind nginx with its defaults', function () {
  // In the full suite a long poll of 25 s is waited for.
  this.timeout(120_000);
  let redis: RedisServer;
  let nodes: Nodes;
  const nginxes: Nginx[] = [];
  /** It takes half a minute, and so goes on beside the other tests of the full suite. */
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
    // Whoever awaits it later hears of it; until then it must not end the process.
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

  it('let streams through at once, although nginx buffers', async () => {
    const browser = new BrowserVisitor(nodes.site);
    await browser.start();
    // What is buffered would arrive with the end of the stream, which does not end.
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

  it('sign people in, each with the own account', async () => {
    const subs = await Promise.all(
      Array.from({ length: PEOPLE }, async (_, index) => {
        const { page, phone } = await scanned(`user${index}`);
        const approved = page.until('approved');
        await phone.approve();
        await approved;
        return finish(page);
      }),
    );
    expect(subs).to.deep.equal(subs.map((_, index) => `user${index}`));
  });

  inFullSuite(() => {
    it('keep a stream alive in which nothing happens, for longer than nginx waits', async () => {
      const { beats, sub } = (await silence) ?? {};
      expect(beats).to.be.at.least(1);
      expect(sub).to.equal('a11ce');
    });

    it('answer a long poll in which nothing happens, before nginx gives up', async () => {
      const { known, polled, pollTook } = (await silence) ?? {};
      expect(polled).to.include({ state: 'scanned', version: known });
      expect(pollTook).to.be.at.least(LONG_POLL - 1_000);
    });
  });

  it('go on without a node that was killed', async () => {
    const people = await Promise.all(Array.from({ length: PEOPLE }, (_, index) => scanned(`user${index}`)));
    const watching = people.map(({ page }) => page.until('approved'));
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
    // Some of them were there.
    expect(people.flatMap(({ page }) => page.ends)).to.include('broken');
    expect(nodes.alive).to.deep.equal(nodes.ports.map((_, index) => index !== 0));
  });

  /** A page whose code has been scanned. */
  async function scanned(name: string): Promise<{ page: PageVisitor; phone: PhoneVisitor }> {
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
  /** How often the stream has said that it is there. */
  readonly beats: number;
  readonly sub: string | undefined;
  /** The version of the ticket that the long poll began with, and what it got. */
  readonly known: unknown;
  readonly polled: Record<string, unknown>;
  readonly pollTook: number;
}

/** A ticket that was scanned is not shown anew: nothing comes through its stream but that it is there. */
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
  const seen = untilApproved(stream);

  browser.network = fetch;
  const asked = performance.now();
  const polled = await browser.after(known);
  const pollTook = performance.now() - asked;

  await phone.approve();
  const beats = await seen;
  stream.close();
  return { beats, sub: await finish(browser), known, polled, pollTook };
}

/** @returns how many comments came before it */
async function untilApproved(stream: { block: () => Promise<string | undefined> }): Promise<number> {
  for (let beats = 0; ; ) {
    const block = await stream.block();
    if (block === undefined) throw new Error('the stream has ended');
    if (block.includes('"state":"approved"')) return beats;
    if (!block.startsWith(':')) throw new Error(`this is news: ${block}`);
    beats += 1;
  }
}

async function finish(browser: BrowserVisitor): Promise<string | undefined> {
  const { redirectTo } = (await browser.finish()).json();
  return (await browser.tokens(redirectTo)).claims()?.sub;
}
