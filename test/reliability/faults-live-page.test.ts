/** Tests of an open page during a fault, over HTTP. */
import { expect } from 'chai';
import { sizeOfSuite } from '../support/full-suite.ts';
import { Nodes } from '../support/nodes.ts';
import { patiently } from '../support/page-visitor.ts';
import { RedisServer } from '../support/redis.ts';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';
import { untilAnswered } from './faults.ts';
import { TicketStream, type TicketView } from './ticket-stream.ts';

/** The time that the nodes' stores may take. */
const STORE_PATIENCE_MS = 500;

const ROTATIONS = sizeOfSuite({ short: 2, full: 3 });

/** The node of the phones. Its tickets expire soon. */
const HURRIED = 1;

describe('an open page', () => {
  let redis: RedisServer;
  let nodes: Nodes;
  let people = 0;

  before(async () => {
    redis = await RedisServer.start();
    nodes = await Nodes.start({
      redis: { url: redis.url },
      people: 20,
      storePatience: STORE_PATIENCE_MS,
      qrLogin: { rotation: 1 },
      nodes: [{}, { qrLogin: { deadlines: { scan: 2 } } }],
    });
  });

  afterEach(() => redis?.resume());

  after(async () => {
    await nodes?.stop();
    await redis?.stop();
  });

  const open = async (node = 0): Promise<BrowserVisitor> => {
    // On a slow machine Redis may seem unavailable at any time.
    const browser = new BrowserVisitor(nodes.site, patiently(nodes.networkTo(node)));
    await browser.start();
    return browser;
  };

  const signInPhone = async (): Promise<PhoneVisitor> => {
    const phone = new PhoneVisitor(nodes.site, patiently(nodes.networkTo(HURRIED)));
    await phone.signInAt(`${nodes.issuer}/account`, `user${people++}`);
    return phone;
  };

  /** Sends the requests of a visitor to a node without retries, so that the visitor gets a 503 too. */
  const takeAnyAnswer = (visitor: BrowserVisitor | PhoneVisitor, node: number): void => {
    visitor.network = nodes.networkTo(node);
  };

  const page = (browser: BrowserVisitor) => browser.agent.get(browser.at, { headers: { accept: 'text/html' } });

  it('shows codes that rotate while Redis is stopped, and the last one is valid when Redis continues', async () => {
    const [browser, phone] = [await open(), await signInPhone()];
    const stream = new TicketStream(await browser.events());
    await stream.waitFor('a code', ({ qr }) => qr !== undefined);
    redis.pause();
    const codes = [urlIn(stream.latest)];
    for (let rotated = 0; rotated < ROTATIONS; rotated++) {
      const last = codes.at(-1);
      await stream.waitFor('another code', (ticket) => urlIn(ticket) !== last);
      codes.push(urlIn(stream.latest));
    }
    redis.resume();
    expect(new Set(codes).size).to.equal(ROTATIONS + 1);
    const scanned = await untilAnswered(() => phone.scan(urlIn(stream.latest)));
    expect(scanned.json().state).to.equal('scanned');
    await stream.waitFor('scanned', ({ state }) => state === 'scanned');
    stream.close();
  });

  it('shows that the code has expired while Redis is stopped, and gets a new one when Redis continues', async () => {
    const browser = await open(HURRIED);
    const stream = new TicketStream(await browser.events());
    takeAnyAnswer(browser, HURRIED);
    redis.pause();
    await stream.waitFor('expired', ({ state }) => state === 'expired');
    const renew = () => browser.post(`${browser.at}/qr/renew`, { version: `${stream.latest?.version}` });
    expect((await renew()).status).to.equal(503);
    // Start to wait before the request, because the new ticket also expires soon.
    const renewed = stream.waitFor('a new code', ({ state }) => state === 'waiting');
    redis.resume();
    expect((await untilAnswered(renew)).json().state).to.equal('waiting');
    await renewed;
    stream.close();
  });

  it('says to try again if it is reloaded while Redis is stopped, with a link to the code', async () => {
    const browser = await open();
    takeAnyAnswer(browser, 0);
    redis.pause();
    const trouble = await page(browser);
    expect(trouble.status).to.equal(503);
    expect(Number(trouble.headers.get('retry-after'))).to.be.greaterThan(0);
    const { pathname } = new URL(browser.at);
    expect(trouble.text).to.contain('data-error="store_unavailable"').and.contain(`href="${pathname}"`);
    expect(trouble.text).to.not.contain('data-qr-login');
    redis.resume();
    expect((await untilAnswered(() => page(browser))).text).to.contain('data-qr-login');
  });

  it('may get a 503 if it polls while Redis is stopped, and gets the decision when Redis continues', async () => {
    const [browser, phone] = [await open(), await signInPhone()];
    // Scan first: after that, the code does not rotate any more.
    expect((await phone.scan(await browser.code())).status).to.equal(200);
    const { version } = await browser.ticket();
    takeAnyAnswer(browser, 0);
    takeAnyAnswer(phone, HURRIED);
    const polled = untilAnswered(() => browser.agent.get(`${browser.at}/qr?after=${version}`));
    redis.pause();
    expect((await phone.look()).status).to.equal(503);
    redis.resume();
    phone.network = patiently(phone.network);
    await phone.approve();
    expect((await polled).json().state).to.equal('approved');
  });

  it('gets its stream from another node after its own node was killed, with the changes since then', async () => {
    const [browser, phone] = [await open(), await signInPhone()];
    const stream = new TicketStream(await browser.events());
    await nodes.kill(0);
    await stream.waitFor('nothing', () => false);
    expect(stream.ended).to.equal(true);
    browser.network = patiently(nodes.roundRobin());
    phone.network = patiently(nodes.roundRobin());
    expect((await phone.scan(await browser.code())).json().state).to.equal('scanned');
    const next = new TicketStream(await browser.events());
    await next.waitFor('scanned', ({ state }) => state === 'scanned');
    await phone.approve();
    await next.waitFor('approved', ({ state }) => state === 'approved');
    next.close();
  });
});

function urlIn(ticket: TicketView | undefined): string {
  const { url } = (ticket?.qr ?? {}) as { url?: string };
  return url ?? '';
}
