import { expect } from 'chai';
import { StillClock } from '../../support/clock.ts';
import { isSignedIn, ownBrowsers, signInBy, signOut } from '../../support/own-browsers.ts';
import { RelyingParty } from '../../support/relying-party.ts';
import { BrowserPerson, PhonePerson, RP_CALLBACK, testClient, World } from '../../support/world.ts';

const OTHER_CALLBACK = 'http://other.localhost:9/callback';

describe('the browsers that an account is signed in to', () => {
  let world: World;
  let phone: PhonePerson;

  beforeEach(async () => {
    world = await World.start({
      clock: new StillClock(),
      clients: [
        testClient('other-rp', { client_name: 'Another app' }),
        testClient('hosted', { redirect_uris: ['https://first.example/callback', RP_CALLBACK, OTHER_CALLBACK] }),
      ],
    });
    phone = await new PhonePerson(world).signIn();
  });

  afterEach(() => world?.stop());

  const url = (): string => `${world.issuer}/qr/devices`;
  const signInBrowser = async (headers: Record<string, string> = {}): Promise<BrowserPerson> => {
    const browser = new BrowserPerson(world, headers);
    await browser.start();
    await signInBy(phone, browser);
    return browser;
  };
  const page = async (language = 'en'): Promise<string> =>
    (await phone.agent.get(url(), { headers: { accept: 'text/html', 'accept-language': language } })).text;

  it('are listed with their name, sign-in time and apps', async () => {
    await signInBrowser();
    const { account, browsers } = await ownBrowsers(phone);
    expect(account).to.equal('Alice Liddell');
    expect(browsers).to.have.length(1);
    const [{ id, signedInAt, lastUsedAt, endsIn, ...browser } = { id: '', signedInAt: '', lastUsedAt: '', endsIn: 0 }] =
      browsers;
    expect(endsIn).to.be.closeTo(14 * 24 * 3600, 5);
    expect(browser).to.deep.equal({
      name: 'Chrome',
      system: 'Windows',
      signedInAgo: 0,
      lastUsedAgo: 0,
      isHere: false,
      signedInBy: 'qr',
      clients: [{ id: 'test-rp', name: 'Test app', hosts: ['rp.localhost:9'] }],
    });
    expect(id).to.match(/^[\w-]{16}$/);
    for (const moment of [signedInAt, lastUsedAt]) expect(Date.parse(moment)).to.equal(world.clock.now());
  });

  it("are on a page that links to the deployment's page of passkeys, because signing out all browsers removes no passkey", async () => {
    await signInBrowser();
    expect(await page()).not.to.include('passkey');
    await World.during({ qrLogin: { passkeysUrl: '/account?part=passkeys&"' } }, async (other) => {
      const owner = await new PhonePerson(other).signIn();
      const browser = new BrowserPerson(other);
      await browser.start();
      await signInBy(owner, browser);
      await signOut(owner, 'all');
      const { text } = await owner.agent.get(`${other.issuer}/qr/devices?ended=1`, {
        headers: { accept: 'text/html' },
      });
      expect(text).to.include('Signing out does not remove passkeys');
      expect(text).to.match(/<a href="\/account\?part=passkeys&amp;&quot;">Review your passkeys<\/a>/);
    });
  });

  it('are on a page in the language of the user, with a button for each browser and a button for all', async () => {
    await signInBrowser();
    const one = await page();
    expect(one).to.include('Chrome on Windows').and.to.include('Test app').and.to.include('rp.localhost:9');
    expect(one).to.include('aria-label="Sign out: Chrome on Windows"').and.to.include('Sign out all others');
    await signOut(phone, (await ownBrowsers(phone)).browsers[0]?.id ?? '');
    expect(await page()).not.to.include('Sign out all');
    await signInBrowser();
    await signInBrowser({ 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' });
    world.clock.forward(3 * 3600);
    const two = await page();
    expect(two)
      .to.include('Firefox on Linux')
      .and.to.include('Sign out all')
      .and.to.match(/<time [^>]*>3 hours ago</);
    expect(await page('zh'))
      .to.include('3小时前')
      .and.to.include('退出所有其他登录');
  });

  it('are listed with a place as a hint if it is known', async () => {
    const options = { proxy: true, qrLogin: { locate: () => ({ country: 'DE', city: 'Berlin' }) } };
    await World.during(options, async (located) => {
      const owner = await new PhonePerson(located).signIn();
      const browser = new BrowserPerson(located, { 'x-forwarded-for': '203.0.113.7' });
      await browser.start();
      await signInBy(owner, browser);
      const { browsers } = await ownBrowsers(owner);
      expect(browsers[0]?.place).to.deep.equal({ country: 'DE', city: 'Berlin' });
      const { text } = await owner.agent.get(`${located.issuer}/qr/devices`, { headers: { accept: 'text/html' } });
      expect(text).to.include('Berlin, Germany').and.to.include('The device and the place are estimates');
    });
  });

  it('include the phone itself, last, and the page says so if there are no others', async () => {
    const [here, ...others] = (await ownBrowsers(phone)).all;
    expect(here).to.include({ name: 'Safari', signedInBy: 'password', isHere: true });
    expect(others).to.deep.equal([]);
    expect(await page())
      .to.include('No other browser is signed in right now')
      .and.to.include('This browser');
    await signInBrowser();
    expect((await ownBrowsers(phone)).all.map(({ isHere }) => isHere)).to.deep.equal([false, true]);
  });

  it('include a browser that was signed in with a password on the QR page, and it can be signed out', async () => {
    const browser = new BrowserPerson(world);
    await browser.start();
    const form = { name: 'alice', password: 'wonderland' };
    const { location } = await browser.agent.post(`${browser.at}/password`, { form });
    await browser.arriveFrom(location);
    expect(await isSignedIn(browser)).to.equal(true);
    const [listed] = (await ownBrowsers(phone)).browsers;
    expect(listed).to.include({ name: 'Chrome', system: 'Windows', signedInBy: 'password', isHere: false });
    expect(await page())
      .to.include('with a password')
      .and.not.to.include('This was not me');
    expect((await signOut(phone, listed?.id ?? '')).json()).to.deep.equal({ ended: 1, unreached: 0 });
    expect(await isSignedIn(browser)).to.equal(false);
    expect((await ownBrowsers(phone)).browsers).to.deep.equal([]);
  });

  it('are only those that were signed in by QR, for a device that was itself signed in by QR', async () => {
    const local = await new PhonePerson(world).signIn();
    const [browser, other] = [await signInBrowser(), await signInBrowser()];
    const [own] = (await ownBrowsers(local)).all.filter(({ isHere }) => isHere);
    expect((await ownBrowsers(phone)).all).to.have.length(4);
    expect((await ownBrowsers(browser)).all.map(({ signedInBy }) => signedInBy)).to.deep.equal(['qr', 'qr']);
    expect((await signOut(browser, own?.id ?? '')).json()).to.deep.equal({ ended: 0, unreached: 0 });
    expect((await signOut(browser, 'all')).json()).to.deep.equal({ ended: 2, unreached: 0 });
    expect(await isSignedIn(other)).to.equal(false);
    for (const person of [phone, local]) expect((await ownBrowsers(person)).all).to.have.length(2);
  });

  it('do not include browsers of another account', async () => {
    await signInBrowser();
    const bob = await new PhonePerson(world).signIn('bob');
    expect(await ownBrowsers(bob)).to.deep.include({ account: 'Bob Sawyer', browsers: [] });
  });

  it('are listed with the time of their last use, and with the apps that have used them since', async () => {
    const browser = await signInBrowser();
    const [before] = (await ownBrowsers(phone)).browsers;
    world.clock.forward(600);
    browser.clientId = 'other-rp';
    await browser.arriveFrom((await browser.start()).url.href);
    const [after] = (await ownBrowsers(phone)).browsers;
    expect(after).to.include({ id: before?.id, signedInAt: before?.signedInAt, signedInAgo: 600, lastUsedAgo: 0 });
    expect(after?.clients.map(({ name }) => name)).to.deep.equal(['Test app', 'Another app']);
  });

  it('are listed with the hosts that the answers went to, not with all hosts that the app has registered', async () => {
    const browser = new BrowserPerson(world);
    browser.clientId = 'hosted';
    await browser.start();
    await signInBy(phone, browser);
    const hosts = async (): Promise<readonly string[] | undefined> =>
      (await ownBrowsers(phone)).browsers[0]?.clients.find(({ id }) => id === 'hosted')?.hosts;
    expect(await hosts()).to.deep.equal(['rp.localhost:9']);
    // The answer goes to the other host, and the user is not asked again.
    const rp = await RelyingParty.at(world, 'hosted');
    await browser.agent.get(await rp.url({ redirect_uri: OTHER_CALLBACK, prompt: 'none' }));
    expect(await hosts()).to.deep.equal(['other.localhost:9', 'rp.localhost:9']);
    expect(await page())
      .to.include('other.localhost:9')
      .and.not.to.include('first.example');
  });

  it('are listed without a host if the session does not tell which one was used', async () => {
    const session = await world.sessionOf((await signInBrowser()).agent);
    for (const entry of Object.values<object>(session?.authorizations ?? {})) Reflect.deleteProperty(entry, 'hosts');
    await world.provider.Session.adapter.upsert(`${session?.jti}`, session ?? {});
    const [browser] = (await ownBrowsers(phone)).browsers;
    expect(browser?.clients).to.deep.equal([{ id: 'test-rp', name: 'Test app', hosts: [] }]);
  });

  it('can be listed on a browser that is itself on the list, where it is marked', async () => {
    const browser = await signInBrowser();
    await signInBrowser();
    const { browsers } = await ownBrowsers(browser);
    expect(browsers.map(({ isHere }) => isHere).sort()).to.deep.equal([false, true]);
    const { text } = await browser.agent.get(url(), { headers: { accept: 'text/html' } });
    expect(text.match(/>This browser</g)).to.have.length(1);
  });

  it('leave the list when the user signs out there', async () => {
    const browser = await signInBrowser();
    const asked = await browser.agent.get(`${world.issuer}/session/end`);
    const [, xsrf = ''] = /name="xsrf" value="([\w-]+)"/.exec(asked.text) ?? [];
    await browser.agent.post(`${world.issuer}/session/end/confirm`, { form: { xsrf, logout: 'yes' } });
    expect((await ownBrowsers(phone)).browsers).to.deep.equal([]);
  });

  it('leave the list when their session expires', async () => {
    await signInBrowser();
    world.clock.forward(15 * 24 * 3600);
    expect((await ownBrowsers(phone)).browsers).to.deep.equal([]);
  });

  it('include a browser once, even if it signs in again', async () => {
    const browser = await signInBrowser();
    const [before] = (await ownBrowsers(phone)).browsers;
    world.clock.forward(60);
    await browser.start({ prompt: 'login' });
    await phone.scan(await browser.code());
    await phone.signInAt(String((await phone.look()).json().signInAgain));
    await phone.approve();
    await browser.arrive();
    const { browsers } = await ownBrowsers(phone);
    expect(browsers.map(({ id }) => id)).to.deep.equal([before?.id]);
    expect(browsers[0]?.signedInAt).not.to.equal(before?.signedInAt);
  });

  it('are shown to signed-in users only: others are sent to the sign-in page and back', async () => {
    const stranger = new PhonePerson(world);
    const asked = await stranger.agent.get(url(), { headers: { accept: 'application/json' } });
    expect(asked.status).to.equal(401);
    expect(asked.json().error).to.equal('not_signed_in');
    const posted = await stranger.agent.post(url(), { json: { csrf: 'x', end: 'all' } });
    expect(posted.json().error).to.equal('not_signed_in');
    const listed = await stranger.signInAt(url());
    expect(listed.url.href).to.equal(url());
    expect(listed.text).to.include('Where you are signed in');
  });

  it('are not shown to an account that may not sign in', async () => {
    await signInBrowser();
    const { csrf } = await ownBrowsers(phone);
    world.accounts.remove('a11ce');
    expect((await phone.agent.get(url(), { headers: { accept: 'application/json' } })).json().error).to.equal(
      'account_unavailable',
    );
    expect((await signOut(phone, 'all', csrf)).json().error).to.equal('account_unavailable');
  });

  it('are listed without any uid, id or cookie of a session', async () => {
    const browser = await signInBrowser();
    const cookies = await browser.agent.jar.getCookies(world.issuer);
    const session = await world.sessionOf(browser.agent);
    const { uid } = session as unknown as { uid: string };
    const listed = JSON.stringify(await ownBrowsers(phone)) + (await page());
    expect(uid).to.be.a('string');
    for (const secret of [uid, ...cookies.map(({ value }) => value)]) expect(listed).not.to.include(secret);
  });

  it('are shown only as often as the rate limit of the account allows', async () => {
    const limits = { account: { decide: 2 } };
    await World.during({ qrLogin: { limits } }, async (limited) => {
      const owner = await new PhonePerson(limited).signIn();
      const look = async (): Promise<number> =>
        (await owner.agent.get(`${limited.issuer}/qr/devices`, { headers: { accept: 'application/json' } })).status;
      expect([await look(), await look(), await look()]).to.deep.equal([200, 200, 429]);
    });
  });

  it('can be signed out one by one, and the others stay signed in', async () => {
    const browser = await signInBrowser();
    const [here] = (await ownBrowsers(phone)).browsers;
    const other = await signInBrowser();
    const signedOut = world.collectPayloads('qr_login.signed_out');
    const answer = await signOut(phone, here?.id ?? '');
    expect(answer.json()).to.deep.equal({ ended: 1, unreached: 0 });
    expect(signedOut).to.deep.equal([{ accountId: 'a11ce', from: '127.0.0.1', clientIds: ['test-rp'] }]);
    expect((await browser.start()).text).to.include('data-qr-login');
    expect(await isSignedIn(other)).to.equal(true);
    expect((await ownBrowsers(phone)).browsers).to.have.length(1);
    expect((await phone.agent.get(`${world.issuer}/account`)).text).to.include('Hello Alice');
  });

  it('can all be signed out together, including the browser that sends the request', async () => {
    const browser = await signInBrowser();
    const others = [await signInBrowser(), await signInBrowser()];
    expect((await signOut(browser, 'all')).json()).to.deep.equal({ ended: 3, unreached: 0 });
    for (const one of [browser, ...others]) expect(await isSignedIn(one)).to.equal(false);
    expect((await ownBrowsers(phone)).browsers).to.deep.equal([]);
  });

  it('can be signed out by a form, which shows the result', async () => {
    await signInBrowser();
    const [, csrf = ''] = /name="csrf" value="([^"]+)"/.exec(await page()) ?? [];
    const [, end = ''] = /name="end" value="([^"]+)"/.exec(await page()) ?? [];
    const again = async (): Promise<string> => {
      const answer = await phone.agent.post(url(), { form: { csrf, end }, headers: { accept: 'text/html' } });
      expect(answer.status).to.equal(303);
      return (await phone.agent.follow(new URL(answer.location, url()))).text;
    };
    expect(await again())
      .to.include('That browser is signed out.')
      .and.to.include('No other browser is signed in');
    expect(await again()).to.include('That browser was already signed out.');
  });

  it('are confirmed as signed out once, only to the session that signed them out, and never because of a link', async () => {
    const outcome = /That browser|All of these/;
    const shown = async (person: PhonePerson, query = ''): Promise<boolean> =>
      outcome.test((await person.agent.get(url() + query, { headers: { accept: 'text/html' } })).text);
    expect(await shown(phone, '?ended=5&unreached=yes')).to.equal(false);
    const { csrf } = await ownBrowsers(phone);
    const form = { csrf, end: 'all' };
    await phone.agent.post(url(), { form, headers: { accept: 'text/html' } });
    const elsewhere = await new PhonePerson(world).signIn();
    const note = (await phone.agent.jar.getCookies(url())).filter(({ key }) => key.startsWith('_qr_ended'));
    expect(note).to.have.length(2);
    for (const cookie of note) await elsewhere.agent.jar.setCookie(cookie.toString(), url());
    expect(await shown(elsewhere)).to.equal(false);
    expect([await shown(phone), await shown(phone)]).to.deep.equal([true, false]);
  });

  it('cannot be signed out by another account, which gets the answer for an unknown id', async () => {
    const browser = await signInBrowser();
    const [here] = (await ownBrowsers(phone)).browsers;
    const bob = await new PhonePerson(world).signIn('bob');
    const answers = [await signOut(bob, here?.id ?? ''), await signOut(bob, 'AAAAAAAAAAAAAAAA')];
    for (const answer of answers) {
      expect(answer.status).to.equal(200);
      expect(answer.json()).to.deep.equal({ ended: 0, unreached: 0 });
    }
    expect(await isSignedIn(browser)).to.equal(true);
    expect((await ownBrowsers(phone)).browsers).to.have.length(1);
  });

  it('are not signed out without the CSRF token of this session, or if the form names no browser', async () => {
    const browser = await signInBrowser();
    const elsewhere = await new PhonePerson(world).signIn();
    const { csrf } = await ownBrowsers(elsewhere);
    for (const wrong of ['', 'made up', csrf]) {
      const answer = await signOut(phone, 'all', wrong);
      expect(answer.status).to.equal(403);
      expect(answer.json().error).to.equal('invalid_csrf');
    }
    expect((await signOut(phone, '')).json().error).to.equal('invalid_request');
    expect(await isSignedIn(browser)).to.equal(true);
  });
});
