import { expect } from 'chai';
import { StillClock } from '../../support/clock.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

describe('on the phone, the scanned ticket', () => {
  let world: World;

  before(async () => {
    world = await World.start({ clock: new StillClock() });
  });

  after(() => world?.stop());

  it('contains the app, the scopes, the browser and the account', async () => {
    const { browser, phone } = await world.meet();
    world.clock.forward(5);
    await phone.scan(await browser.code());
    const { csrf, expiresIn, shownAgo, version, ...request } = (await phone.look()).json();
    expect(request).to.deep.equal({
      state: 'scanned',
      client: { id: 'test-rp', name: 'Test app', host: 'rp.localhost:9' },
      scopes: ['openid', 'profile'],
      grants: false,
      claims: [],
      resources: {},
      browser: { name: 'Chrome', system: 'Windows' },
      account: 'Alice Liddell',
      follow: new URL(phone.at).pathname,
      urls: { devices: '/qr/devices', scan: '/qr/scan' },
    });
    expect(version).to.equal(2);
    expect(shownAgo).to.equal(5);
    expect(expiresIn).to.equal(120);
    expect(csrf).to.match(/^[\w-]{43}$/);
  });

  it('is shown on the page with the same details, and with Deny next to Approve', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    const { text } = await phone.agent.get(phone.at, { headers: { accept: 'text/html' } });
    for (const shown of ['Test app', 'rp.localhost:9', 'Alice Liddell', 'Chrome on Windows', 'Did you start this']) {
      expect(text).to.include(shown);
    }
    expect(text).to.match(/name="decision" value="deny"[\s\S]*name="decision" value="approve"/);
  });

  it('shows the names of a client and a browser as text, never as markup', async () => {
    const nasty = '<img src=x onerror=alert(1)>';
    const clients = [
      {
        client_id: 'nasty',
        client_secret: 'a secret that is not used here',
        client_name: nasty,
        redirect_uris: ['http://rp.localhost:9/callback'],
      },
    ];
    await World.during({ clients }, async (other) => {
      const browser = new BrowserPerson(other, { 'user-agent': `${nasty} Chrome/150.0.0.0` });
      const page = await browser.start({ client_id: 'nasty', login_hint: nasty });
      const phone = await new PhonePerson(other).signIn();
      await phone.scan(await browser.code());
      const confirm = await phone.agent.follow(phone.at);
      for (const { text } of [page, confirm]) {
        expect(text).to.include('&lt;img src=x').and.not.to.include('<img');
      }
    });
  });
});
