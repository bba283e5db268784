/** What a page that is open sees of a fault, over HTTP. */
import { expect } from 'chai';
import { Nodes } from '../support/nodes.ts';
import { RedisServer } from '../support/redis.ts';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';
import { untilAnswered } from './faults.ts';
import { Ear, type Shown } from './faults-ear.ts';

/** Milliseconds. */
const ROTATES_EVERY = 1_000;
const HEARS_WITHIN = 2_000;
const EXPIRES_WITHIN = 4_000;

const HURRIED = 2;

/** Nodes take a while to start on a busy machine. */
const SLOWEST = 60_000;

describe('a page that is open in a fault', function () {
  this.timeout(SLOWEST);
  let redis: RedisServer;
  let nodes: Nodes;
  let people = 0;

  before(async () => {
    redis = await RedisServer.start();
    nodes = await Nodes.start({
      redis: { url: redis.url },
      people: 20,
      qrLogin: { rotation: ROTATES_EVERY / 1000 },
      nodes: [{}, {}, { qrLogin: { deadlines: { scan: 2 } } }],
    });
  });

  afterEach(() => redis.resume());

  after(async () => {
    await nodes.stop();
    await redis.stop();
  });

  const open = async (node = 0): Promise<BrowserVisitor> => {
    const browser = new BrowserVisitor(nodes.site, nodes.networkTo(node));
    await browser.start();
    return browser;
  };

  const signedIn = async (): Promise<PhoneVisitor> => {
    const phone = new PhoneVisitor(nodes.site, nodes.networkTo(1));
    await phone.signInAt(`${nodes.issuer}/account`, `user${people++}`);
    return phone;
  };

  const page = (browser: BrowserVisitor) => browser.agent.get(browser.at, { headers: { accept: 'text/html' } });

  it('shows codes that rotate while Redis is stopped, and the last of them is good when it goes on', async () => {
    const [browser, phone] = [await open(), await signedIn()];
    const ear = new Ear(await browser.events());
    await ear.shows('a code', ({ qr }) => qr !== undefined, HEARS_WITHIN);
    redis.pause();
    const codes = [urlIn(ear.latest)];
    for (let rotated = 0; rotated < 3; rotated++) {
      const last = codes.at(-1);
      await ear.shows('another code', (ticket) => urlIn(ticket) !== last, ROTATES_EVERY + HEARS_WITHIN);
      codes.push(urlIn(ear.latest));
    }
    redis.resume();
    expect(new Set(codes).size).to.equal(4);
    const scanned = await untilAnswered(() => phone.scan(urlIn(ear.latest)));
    expect(scanned.json().state).to.equal('scanned');
    await ear.shows('scanned', ({ state }) => state === 'scanned', HEARS_WITHIN);
    ear.close();
  });

  it('says that the code has expired while Redis is stopped, and gets a new one when it goes on', async () => {
    const browser = await open(HURRIED);
    const ear = new Ear(await browser.events());
    redis.pause();
    await ear.shows('expired', ({ state }) => state === 'expired', EXPIRES_WITHIN);
    const renew = () => browser.post(`${browser.at}/qr/renew`, { version: `${ear.latest?.version}` });
    expect((await renew()).status).to.equal(503);
    redis.resume();
    expect((await untilAnswered(renew)).json().state).to.equal('waiting');
    await ear.shows('a new code', ({ state }) => state === 'waiting', HEARS_WITHIN);
    ear.close();
  });

  it('loaded anew while Redis is stopped says to try again, at an address that shows the code afterwards', async () => {
    const browser = await open();
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

  it('that polls is told to try again at most, and hears of the decision when Redis goes on', async () => {
    const [browser, phone] = [await open(), await signedIn()];
    // Its code does not rotate in the meantime: it has been scanned.
    await phone.scan(await browser.code());
    const { version } = await browser.ticket();
    const polled = untilAnswered(() => browser.agent.get(`${browser.at}/qr?after=${version}`));
    redis.pause();
    expect((await phone.look()).status).to.equal(503);
    redis.resume();
    await untilAnswered(() => phone.look());
    await phone.approve();
    expect((await polled).json().state).to.equal('approved');
  });

  it('whose node is killed gets its stream at another one, with what happened meanwhile', async () => {
    const [browser, phone] = [await open(), await signedIn()];
    const ear = new Ear(await browser.events());
    await nodes.kill(0);
    await ear.shows('nothing', () => false, HEARS_WITHIN);
    expect(ear.ended).to.equal(true);
    browser.network = nodes.roundRobin();
    phone.network = nodes.roundRobin();
    expect((await phone.scan(await browser.code())).json().state).to.equal('scanned');
    const next = new Ear(await browser.events());
    await next.shows('scanned', ({ state }) => state === 'scanned', HEARS_WITHIN);
    await phone.approve();
    await next.shows('approved', ({ state }) => state === 'approved', HEARS_WITHIN);
    next.close();
    await nodes.restart(0);
  });
});

function urlIn(ticket: Shown | undefined): string {
  const { url } = (ticket?.qr ?? {}) as { url?: string };
  return url ?? '';
}
