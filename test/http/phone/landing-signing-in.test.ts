import { expect } from 'chai';
import { request } from 'undici';
import { StillClock } from '../../support/clock.ts';
import { shortCodeOn, typeIn } from '../../support/typing.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

/** The headers with which a browser opens an address that a camera has read. */
const BY_CAMERA = {
  accept: 'text/html',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'sec-fetch-site': 'none',
};

const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1';

describe('a phone that is not signed in', () => {
  let world: World;

  before(async () => {
    world = await World.start({ clock: new StillClock(), qrLogin: { shortCode: true } });
  });

  after(() => world?.stop());

  const showCode = async (): Promise<BrowserPerson> => {
    const browser = new BrowserPerson(world);
    await browser.start();
    return browser;
  };
  // Sent with undici's `request`, because the `fetch` of Node.js adds Fetch Metadata headers of its own.
  const open = async (code: string, headers: Record<string, string> = BY_CAMERA, method = 'GET'): Promise<number> => {
    const { statusCode, body } = await request(code, { method, headers });
    await body.dump();
    return statusCode;
  };

  it('is shown in the browser, and extends the lifetime of the ticket once', async () => {
    const browser = await showCode();
    const code = await browser.code();
    const before = await browser.ticket();
    expect(before).to.include({ state: 'waiting', expiresIn: 120 }).and.not.to.have.property('phoneIsSigningIn');
    world.clock.forward(5);
    const stream = await browser.events();
    await stream.ticket('waiting');
    expect(await open(code)).to.equal(303);
    expect(await stream.ticket()).to.include({ state: 'waiting', phoneIsSigningIn: true, expiresIn: 300 });
    stream.close();

    world.clock.forward(200);
    expect(await open(await browser.code())).to.equal(303);
    const later = await browser.ticket();
    expect(later).to.include({ state: 'waiting', phoneIsSigningIn: true, expiresIn: 100 });
    world.clock.forward(100);
    expect((await browser.ticket()).state).to.equal('expired');
  });

  it('does not stop the rotation of codes, and any phone can scan meanwhile', async () => {
    const browser = await showCode();
    const code = await browser.code();
    await open(code);
    const stream = await browser.events();
    const { qr: first } = await stream.ticket('waiting');
    world.clock.forward(10);
    const rotated = await stream.ticket('waiting');
    expect(rotated).to.have.property('phoneIsSigningIn', true);
    expect(rotated.qr).not.to.have.property('url', (first as { url: string }).url);
    const phone = await new PhonePerson(world).signIn('bob');
    expect((await phone.scan(await browser.code())).status).to.equal(200);
    const scanned = await stream.ticket('scanned');
    stream.close();
    expect(scanned).not.to.have.property('phoneIsSigningIn');
    expect(scanned.expiresIn).to.equal(120);
  });

  it('keeps the short code alive for as long as it is shown', async () => {
    const browser = await showCode();
    await open(await browser.code());
    world.clock.forward(280);
    const phone = await new PhonePerson(world).signIn();
    expect((await typeIn(phone, world, await shortCodeOn(browser))).status).to.equal(200);
  });

  it('is not shown in the browser if it opens a code that is not on the screen any more', async () => {
    const browser = await showCode();
    const code = await browser.code();
    const phone = new PhonePerson(world);
    await phone.agent.get(code, { headers: { accept: 'text/html' } });
    const cookie = await phone.agent.jar.getCookieString(code);
    world.clock.forward(60);
    expect(await open(code, { ...BY_CAMERA, cookie })).to.equal(303);
    expect(await browser.ticket()).not.to.have.property('phoneIsSigningIn');
  });

  it('is not shown in the browser after a prefetch, a preview, an embedded page or a visit from another site', async () => {
    const browser = await showCode();
    const code = await browser.code();
    const before = await browser.ticket();
    const others: Record<string, string>[] = [
      { accept: 'text/html' },
      { ...BY_CAMERA, 'sec-purpose': 'prefetch;prerender' },
      { ...BY_CAMERA, purpose: 'prefetch' },
      { ...BY_CAMERA, 'sec-fetch-dest': 'image' },
      { ...BY_CAMERA, 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
      { ...BY_CAMERA, 'sec-fetch-site': 'cross-site' },
      { ...BY_CAMERA, 'sec-fetch-site': 'same-site' },
    ];
    for (const headers of others) await open(code, headers);
    await open(code, BY_CAMERA, 'HEAD');
    expect((await browser.ticket()).version).to.equal(before.version);
  });

  it('does not change a ticket that has been scanned, or has ended', async () => {
    const { browser, phone } = await world.meet();
    const code = await browser.code();
    await phone.scan(code);
    const scanned = await browser.ticket();
    await open(code);
    expect(await browser.ticket()).to.deep.equal(scanned);
    await browser.agent.post(`${browser.at}/cancel`, { json: {} });
    const cancelled = await browser.ticket();
    await open(code);
    expect(await browser.ticket()).to.deep.equal(cancelled);
  });

  it('extends the lifetime to the configured time, and never shortens it', async () => {
    const qrLogin = { deadlines: { scan: 90, signIn: 1 } };
    await World.during({ clock: new StillClock(), qrLogin }, async (own) => {
      const browser = new BrowserPerson(own);
      await browser.start();
      await open(await browser.code());
      expect(await browser.ticket()).to.include({ phoneIsSigningIn: true, expiresIn: 90 });
    });
  });
});

describe('a phone that has scanned', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(() => world?.stop());

  const scanWith = async (userAgent: string): Promise<BrowserPerson> => {
    const browser = new BrowserPerson(world);
    const phone = new PhonePerson(world, { 'user-agent': userAgent });
    await Promise.all([browser.start(), phone.signIn()]);
    await phone.scan(await browser.code());
    return browser;
  };

  it('is shown in the browser by the name in its user agent from the scan on', async () => {
    const browser = await scanWith(IPHONE);
    const phone = { name: 'Safari', system: 'iOS' };
    expect(await browser.ticket()).to.deep.include({ state: 'scanned', phone });
    const { text } = await browser.agent.get(browser.at, { headers: { accept: 'text/html' } });
    expect(text).to.include('Scanned by Safari, iOS: look at your phone');
  });

  it('is not named in the browser if its user agent is unknown', async () => {
    const browser = await scanWith('You have won. Call +44 20 7946 0000');
    expect(await browser.ticket())
      .to.include({ state: 'scanned' })
      .and.not.to.have.property('phone');
    const { text } = await browser.agent.get(browser.at, { headers: { accept: 'text/html' } });
    expect(text).to.include('Scanned. Now look at your phone').and.not.to.include('7946');
  });

  it('is replaced in the browser when the right account takes the ticket over', async () => {
    const claims = JSON.stringify({ id_token: { sub: { value: 'b0b' } } });
    await World.during(
      { configuration: { features: { devInteractions: { enabled: false }, claimsParameter: { enabled: true } } } },
      async (own) => {
        const browser = new BrowserPerson(own);
        const alice = new PhonePerson(own, { 'user-agent': IPHONE });
        const bob = new PhonePerson(own, { 'user-agent': 'a phone' });
        await Promise.all([browser.start({ claims }), alice.signIn(), bob.signIn('bob')]);
        const code = await browser.code();
        await alice.scan(code);
        expect(await browser.ticket()).to.have.property('phone');
        expect((await bob.scan(code)).status).to.equal(200);
        expect(await browser.ticket())
          .to.include({ state: 'scanned' })
          .and.not.to.have.property('phone');
      },
    );
  });
});
