import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { assessByDefault, type KnownBrowser } from '../../../src/index.ts';
import { COOKIE_KEYS } from '../../fixtures/secrets.ts';
import { TestBrowserKey } from '../../support/browser-key.ts';
import { forget, ownBrowsers, signOut } from '../../support/own-browsers.ts';
import { listKey } from '../../support/stored-key.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

describe('the browsers that an account trusts', () => {
  let world: World;
  let phone: PhonePerson;

  beforeEach(async () => {
    world = await World.start({ qrLogin: { assess: assessByDefault } });
    phone = await new PhonePerson(world).signIn();
  });

  afterEach(() => world?.stop());

  /** Scans and approves a new sign-in. @returns the check code, or undefined if none is demanded */
  async function approveSignIn(browser: BrowserPerson, more: Record<string, string> = {}): Promise<string | undefined> {
    await browser.start();
    await phone.scan(await browser.code());
    const answer = await phone.approve(more);
    if (answer.status !== 200) throw new Error(answer.text);
    const { checkCode } = answer.json();
    return checkCode === undefined ? undefined : `${checkCode}`;
  }

  /** Signs the browser in, with the check code if it is demanded. */
  async function signIn(browser: BrowserPerson, more: Record<string, string> = {}): Promise<BrowserPerson> {
    const finished = await browser.finish(await approveSignIn(browser, more));
    await browser.arriveFrom(`${finished.json().redirectTo}`);
    return browser;
  }

  const list = (): string => listKey(world, 'known', 'a11ce');
  const stored = async (): Promise<KnownBrowser[]> => (await world.store.get<KnownBrowser[]>(list())) ?? [];

  const signInTrusted = (): Promise<BrowserPerson> => signIn(new BrowserPerson(world), { remember: 'yes' });

  /** Removes the session of a browser, as if it had expired. The cookie by which accounts recognize it stays. */
  async function forgetSession({ agent }: BrowserPerson): Promise<void> {
    for (const { key } of await agent.jar.getCookies(world.issuer)) {
      if (key.startsWith('_session')) await agent.jar.setCookie(`${key}=; Max-Age=0; Path=/`, world.issuer);
    }
  }

  /** Returns true if the next sign-in of this account in the browser requires the check code. */
  async function takesCheckCode(browser: BrowserPerson): Promise<boolean> {
    await forgetSession(browser);
    return (await approveSignIn(browser)) !== undefined;
  }

  it('are only those in which the user chose to stay signed in', async () => {
    expect(await takesCheckCode(await signIn(new BrowserPerson(world)))).to.equal(true);
    expect((await ownBrowsers(phone)).known).to.deep.equal([]);
    const browser = await signInTrusted();
    expect((await ownBrowsers(phone)).known).to.have.length(1);
    expect(await takesCheckCode(browser)).to.equal(false);
  });

  it('are not trusted before the sign-in has taken effect', async () => {
    const browser = new BrowserPerson(world);
    await browser.finish(await approveSignIn(browser, { remember: 'yes' }));
    expect((await ownBrowsers(phone)).known).to.deep.equal([]);
  });

  it('are listed with the times at which they were trusted and last used', async () => {
    const browser = await signInTrusted();
    world.clock.forward(600);
    await forgetSession(browser);
    await signIn(browser);
    world.clock.forward(60);
    const { known } = await ownBrowsers(phone);
    expect(known).to.have.length(1);
    expect(known[0]).to.include({ name: 'Chrome', trustedAgo: 660, lastUsedAgo: 60, isHere: false });
    expect((await ownBrowsers(browser)).known[0]).to.include({ isHere: true });
    const { text } = await phone.agent.get(`${world.issuer}/qr/devices`, { headers: { accept: 'text/html' } });
    expect(text).to.include('Browsers you trust').and.to.include(`name="forget" value="${known[0]?.id}"`);
  });

  it('are trusted for 180 days after their last use', async () => {
    const browser = await signInTrusted();
    const [first] = await stored();
    world.clock.forward(600);
    await forgetSession(browser);
    await signIn(browser);
    const [again] = await stored();
    expect(again?.lastUsedAt).to.be.at.least((first?.lastUsedAt ?? 0) + 600_000);
    expect((again?.endsAt ?? 0) - (again?.lastUsedAt ?? 0)).to.equal(180 * 24 * 3600 * 1000);
    await world.store.set(list(), [{ ...again, endsAt: world.clock.now() }]);
    expect((await ownBrowsers(phone)).known).to.deep.equal([]);
    expect(await takesCheckCode(browser)).to.equal(true);
  });

  it('keep the fields that a newer build has added, even after their next sign-in', async () => {
    const browser = await signInTrusted();
    const [first] = await stored();
    await world.store.set(list(), [{ ...first, place: { city: 'Elsewhere' }, future: 'kept' }]);
    await forgetSession(browser);
    await signIn(browser);
    const [again] = await stored();
    expect(again).to.deep.include({ future: 'kept', format: 1, trustedAt: first?.trustedAt });
    expect(again).to.not.have.property('place');
    const [shown = {}] = (await ownBrowsers(phone)).known;
    const fields = ['id', 'isHere', 'lastUsedAgo', 'lastUsedAt', 'name', 'system', 'trustedAgo', 'trustedAt'];
    expect(Object.keys(shown).sort()).to.deep.equal(fields);
  });

  it('can be forgotten one by one or all together', async () => {
    const [one, other, third] = [await signInTrusted(), await signInTrusted(), await signInTrusted()];
    const [first] = (await ownBrowsers(one)).known.filter(({ isHere }) => isHere);
    expect((await forget(phone, first?.id ?? '')).status).to.equal(200);
    expect(await takesCheckCode(one)).to.equal(true);
    expect(await takesCheckCode(other)).to.equal(false);
    await forget(phone, 'all');
    expect((await ownBrowsers(phone)).known).to.deep.equal([]);
    for (const browser of [other, third]) expect(await takesCheckCode(browser)).to.equal(true);
  });

  it('need the check code if they are forgotten between approval and finish', async () => {
    const browser = await signInTrusted();
    await forgetSession(browser);
    expect(await approveSignIn(browser)).to.equal(undefined);
    await forget(phone, 'all');
    expect((await browser.finish()).json().error).to.equal('check_code_required');
    expect(await browser.ticket()).to.include({ state: 'approved', checkCode: true });
    const checkCode = `${(await phone.look()).json().checkCode}`;
    expect((await browser.finish(checkCode)).status).to.equal(200);
  });

  it('cannot be forgotten by another account, or by another site', async () => {
    await signInTrusted();
    const [one] = (await ownBrowsers(phone)).known;
    await forget(await new PhonePerson(world).signIn('bob'), one?.id ?? '');
    const json = { csrf: 'made up', forget: 'all' };
    const headers = { accept: 'application/json' };
    const forged = await phone.agent.post(`${world.issuer}/qr/devices`, { headers, json });
    expect(forged.status).to.equal(403);
    expect((await ownBrowsers(phone)).known).to.have.length(1);
  });

  it('are not trusted any more after they were signed out from elsewhere', async () => {
    const [one, other] = [await signInTrusted(), await signInTrusted()];
    const [session] = (await ownBrowsers(one)).browsers.filter(({ isHere }) => isHere);
    await signOut(phone, session?.id ?? '');
    expect(await takesCheckCode(one)).to.equal(true);
    expect(await takesCheckCode(other)).to.equal(false);
  });

  it('are not trusted any more after all were signed out, even those without a session', async () => {
    const [one, other] = [await signInTrusted(), await signInTrusted()];
    await world.store.delete(listKey(world, 'browsers', 'a11ce'));
    expect((await ownBrowsers(phone)).browsers).to.deep.equal([]);
    await signOut(phone, 'all');
    for (const browser of [one, other]) expect(await takesCheckCode(browser)).to.equal(true);
  });

  it('are not trusted any more after a sign-in is reported hours later, when its session is not listed', async () => {
    await signInTrusted();
    await world.store.delete(listKey(world, 'browsers', 'a11ce'));
    // The ticket and the note of the finished sign-in are also gone.
    world.clock.forward(2 * 60 * 60);
    const reported = world.count('qr_login.reported');
    expect((await phone.decide('report')).status).to.equal(200);
    expect(reported()).to.equal(1);
    expect((await ownBrowsers(phone)).known).to.deep.equal([]);
    expect(await stored()).to.deep.equal([]);
  });

  it('are not trusted any more after the user has signed out in them', async () => {
    const browser = await signInTrusted();
    const asked = await browser.agent.get(`${world.issuer}/session/end`);
    const [, xsrf = ''] = /name="xsrf" value="([\w-]+)"/.exec(asked.text) ?? [];
    await browser.agent.post(`${world.issuer}/session/end/confirm`, { form: { xsrf, logout: 'yes' } });
    expect((await ownBrowsers(phone)).known).to.deep.equal([]);
    expect(await takesCheckCode(browser)).to.equal(true);
  });

  it('stay trusted if the user is asked to confirm a sign-out in them and declines', async () => {
    const browser = await signInTrusted();
    const asked = await browser.agent.get(`${world.issuer}/session/end`);
    const [, xsrf = ''] = /name="xsrf" value="([\w-]+)"/.exec(asked.text) ?? [];
    await browser.agent.post(`${world.issuer}/session/end/confirm`, { form: { xsrf } });
    expect(await takesCheckCode(browser)).to.equal(false);
  });

  it('are not trusted any more after a report', async () => {
    const browser = await signInTrusted();
    await forgetSession(browser);
    await browser.start();
    await phone.scan(await browser.code());
    await phone.decide('report');
    expect((await ownBrowsers(phone)).known).to.deep.equal([]);
  });

  it('are known only to the account that trusts them', async () => {
    const browser = await signInTrusted();
    await forgetSession(browser);
    phone = await new PhonePerson(world).signIn('bob');
    expect(await approveSignIn(browser)).to.match(/^\d{6}$/);
  });

  describe('with a key', () => {
    let key: TestBrowserKey;
    let browser: BrowserPerson;

    beforeEach(async () => {
      key = await TestBrowserKey.make();
      browser = new BrowserPerson(world);
      const checkCode = await approveSignIn(browser, { remember: 'yes' });
      expect(await browser.ticket()).to.include({ key: 'make' });
      const finished = await browser.finish(checkCode, { key: await key.publicKey() });
      await browser.arriveFrom(`${finished.json().redirectTo}`);
      await forgetSession(browser);
      expect(await approveSignIn(browser)).to.equal(undefined);
    });

    it('need no check code if they sign this ticket with the key', async () => {
      const { version, key: use } = await browser.ticket();
      expect(use).to.equal('sign');
      const signature = await key.sign(browser.at, version);
      expect((await browser.finish(undefined, { signature })).status).to.equal(200);
      expect(JSON.stringify(await ownBrowsers(phone))).not.to.include('"key"');
    });

    it('need the check code if the signature is missing, of another key, or about another ticket', async () => {
      const { version } = await browser.ticket();
      const other = await TestBrowserKey.make();
      const wrong = [
        '',
        'AAAA',
        await other.sign(browser.at, version),
        await key.sign(browser.at, Number(version) + 1),
        await key.sign(`${browser.at}x`, version),
      ];
      for (const signature of wrong) {
        expect((await browser.finish(undefined, { signature })).json().error).to.equal('check_code_required');
        await browser.agent.post(`${browser.at}/qr/renew`, { json: {} });
        await phone.scan(await browser.code());
        await phone.approve({ remember: 'yes' });
      }
      await browser.finish();
      expect(await browser.ticket()).to.include({ checkCode: true, key: 'make' });
      const checkCode = `${(await phone.look()).json().checkCode}`;
      const made = await browser.finish(checkCode, { key: await other.publicKey() });
      await browser.arriveFrom(`${made.json().redirectTo}`);
      await forgetSession(browser);
      await approveSignIn(browser);
      const signature = await other.sign(browser.at, (await browser.ticket()).version);
      expect((await browser.finish(undefined, { signature })).status).to.equal(200);
    });

    it('cannot register a key that is not a public key of the curve P-256', async () => {
      const { kty, crv, x, y } = JSON.parse(await key.publicKey());
      for (const sent of [
        '{',
        '1',
        'null',
        '{}',
        { kty, crv, x },
        { kty, crv: 'P-384', x, y },
        { kty, crv, x, y: x },
      ]) {
        const text = typeof sent === 'string' ? sent : JSON.stringify(sent);
        expect((await browser.finish(undefined, { key: text })).json().error, text).to.equal('invalid_request');
      }
      expect((await browser.ticket()).state).to.equal('approved');
    });
  });

  it('ask before they change to another account, and name neither account', async () => {
    const browser = await signInTrusted();
    await forgetSession(browser);
    phone = await new PhonePerson(world).signIn('bob');
    const checkCode = await approveSignIn(browser);
    expect(await browser.ticket()).to.include({ state: 'approved', checkCode: true, switchAccount: true });
    const { text } = await browser.agent.get(browser.at, { headers: { accept: 'text/html' } });
    expect(text)
      .to.include('Another account was last used in this browser')
      .and.not.to.match(/Alice|Bob|a11ce|\bb0b\b/);
    expect((await browser.finish(checkCode)).json().error).to.equal('account_switch');
    expect((await browser.finish(checkCode, { switchAccount: 'yes' })).status).to.equal(200);
  });

  it('are not trusted because of a cookie of an older release', async () => {
    const browser = new BrowserPerson(world);
    await browser.start();
    const { jar } = browser.agent;
    const value = `${'a'.repeat(22)}.${'b'.repeat(43)}`;
    const [key = ''] = COOKIE_KEYS;
    const sign = (text: string): string => createHmac('sha1', key).update(text).digest('base64url');
    await jar.setCookie(`_qr_memory=${value}; Path=/interaction`, world.issuer);
    await jar.setCookie(`_qr_memory.sig=${sign(`_qr_memory=${value}`)}; Path=/interaction`, world.issuer);
    expect(await approveSignIn(browser, { remember: 'yes' })).to.match(/^\d{6}$/);
  });
});
