import { expect } from 'chai';
import { errors } from 'oidc-provider';
import * as client from 'openid-client';
import { type Access, Elsewhere } from '../../support/elsewhere.ts';
import { beginLateRequest } from '../../support/late-request.ts';
import { LogoutInbox, REACHES_THIS_MACHINE } from '../../support/logout-inbox.ts';
import { isSignedIn, type ListedBrowser, ownBrowsers, signInBy, signOut } from '../../support/own-browsers.ts';
import { errorOf } from '../../support/relying-party.ts';
import { listKey } from '../../support/stored-key.ts';
import { until } from '../../support/until.ts';
import { BrowserPerson, CLIENT_SECRET, PASSWORDS, PhonePerson, testClient, World } from '../../support/world.ts';

const OFFLINE = { scope: 'openid profile offline_access', prompt: 'consent' };

describe('signing a browser out from the phone', () => {
  let inbox: LogoutInbox;
  let world: World;
  let elsewhere: Elsewhere;
  let phone: PhonePerson;
  /** The promise that `findAccount` waits for. */
  let beforeAccount: () => Promise<void>;

  beforeEach(async () => {
    inbox = await LogoutInbox.open();
    const made = Elsewhere.keyv();
    elsewhere = made.elsewhere;
    beforeAccount = async () => undefined;
    const rp = testClient('rp', { ...inbox.metadata, grant_types: ['authorization_code', 'refresh_token'] });
    world = await World.start({
      store: made.store,
      clients: [rp],
      configuration: {
        ...REACHES_THIS_MACHINE,
        findAccount: async (_ctx, id) => {
          await beforeAccount();
          return { accountId: id, claims: () => ({ sub: id }) };
        },
      },
    });
    phone = await new PhonePerson(world).signIn();
  });

  afterEach(async () => {
    await world?.stop();
    await inbox?.close();
  });

  const signInBrowser = async (
    parameters: Record<string, string> = {},
  ): Promise<{ browser: BrowserPerson; at: URL }> => {
    const browser = new BrowserPerson(world);
    browser.clientId = 'rp';
    await browser.start(parameters);
    return { browser, at: await signInBy(phone, browser) };
  };
  const onlyOne = async (): Promise<ListedBrowser> => {
    const { browsers } = await ownBrowsers(phone);
    expect(browsers).to.have.length(1);
    const [one] = browsers;
    if (one === undefined) throw new Error('there is no browser on the list');
    return one;
  };
  const configuration = (): Promise<client.Configuration> =>
    client.discovery(new URL(world.issuer), 'rp', CLIENT_SECRET, undefined, {
      execute: [client.allowInsecureRequests],
    });

  it('revokes the tokens of its apps, including offline access, and sends them a logout token', async () => {
    const { browser, at } = await signInBrowser(OFFLINE);
    const revoked = world.count('grant.revoked');
    const tokens = await browser.tokens(at);
    const rp = await configuration();
    const sid = tokens.claims()?.sid;
    const refreshed = await client.refreshTokenGrant(rp, tokens.refresh_token ?? '');
    await client.fetchUserInfo(rp, refreshed.access_token, 'a11ce');

    expect((await signOut(phone, (await onlyOne()).id)).json()).to.deep.equal({ ended: 1, unreached: 0 });

    expect(inbox.received).to.have.length(1);
    expect(inbox.received[0]).to.include({ iss: world.issuer, aud: 'rp', sub: 'a11ce', sid });
    expect(await errorOf(client.refreshTokenGrant(rp, refreshed.refresh_token ?? ''))).to.equal('invalid_grant');
    for (const { access_token: token } of [tokens, refreshed]) {
      const { status } = await client
        .fetchProtectedResource(rp, token, new URL(`${world.issuer}/me`), 'GET')
        .catch((error: client.WWWAuthenticateChallengeError) => error);
      expect(status).to.equal(401);
    }
    expect(revoked()).to.equal(1);
    expect((await browser.start()).text).to.include('data-qr-login');
  });

  it('revokes an authorization code that is not redeemed yet', async () => {
    const { browser, at } = await signInBrowser();
    await signOut(phone, 'all');
    expect(await errorOf(browser.tokens(at))).to.equal('invalid_grant');
  });

  it('succeeds if an app refuses its logout token, and reports that', async () => {
    inbox.answer = async () => 500;
    const errors = world.count('backchannel.error');
    const { browser } = await signInBrowser();
    expect((await signOut(phone, 'all')).json()).to.deep.equal({ ended: 1, unreached: 1 });
    expect(errors()).to.equal(1);
    expect(await isSignedIn(browser)).to.equal(false);
    await signInBrowser();
    const { csrf } = await ownBrowsers(phone);
    const [devices, headers] = [`${world.issuer}/qr/devices`, { accept: 'text/html' }];
    await phone.agent.post(devices, { form: { csrf, end: 'all' }, headers });
    expect((await phone.agent.get(devices, { headers })).text).to.include('One of the apps did not answer');
  });

  it('succeeds if an app does not answer at all', async () => {
    inbox.answer = () => new Promise(() => undefined);
    const { browser } = await signInBrowser();
    const { id } = await onlyOne();
    const ended = world.nextEvent('qr_login.signed_out');
    const givenUp = world.nextEvent('backchannel.error');
    const answer = signOut(phone, id);
    // The end of the session does not wait for the app.
    expect(await Promise.race([ended.then(() => 'ended'), givenUp.then(() => 'the app was given up')])).to.equal(
      'ended',
    );
    expect((await answer).json()).to.deep.equal({ ended: 1, unreached: 1 });
    expect(await isSignedIn(browser)).to.equal(false);
  });

  it('succeeds although a request of that browser is under way, which saves the session again', async () => {
    const { browser } = await signInBrowser();
    const { id } = await onlyOne();
    let goOn: () => void = () => undefined;
    const isUnderWay = new Promise<void>((resolve) => {
      beforeAccount = () => {
        beforeAccount = async () => undefined;
        resolve();
        return new Promise((release) => {
          goOn = release;
        });
      };
    });
    const underWay = browser.start();
    await isUnderWay;
    expect((await signOut(phone, id)).json()).to.deep.equal({ ended: 1, unreached: 0 });
    goOn();
    await underWay;
    expect(await isSignedIn(browser)).to.equal(false);
    expect((await ownBrowsers(phone)).browsers).to.deep.equal([]);
  });

  it('stays in effect even if another request of the browser saves the session again later', async () => {
    const { browser } = await signInBrowser();
    // When the body has arrived, the request saves the session in the state that it had when the request began.
    const finish = await beginLateRequest(`${world.issuer}/session/end/confirm`, browser.agent, elsewhere);
    await signOut(phone, 'all');
    expect(await finish()).to.equal(400);
    expect(await world.sessionOf(browser.agent)).to.equal(undefined);
    expect((await browser.start()).text).to.include('data-qr-login');
    expect(
      (await browser.agent.get(`${world.issuer}/qr/devices`, { headers: { accept: 'application/json' } })).status,
    ).to.equal(401);
  });

  it('stays in effect even for a browser in which the user had signed in with a password after the sign-in by QR', async () => {
    const { browser } = await signInBrowser();
    await browser.start({ prompt: 'login' });
    const back = await browser.agent.post(`${browser.at}/password`, {
      form: { name: 'alice', password: PASSWORDS.alice },
    });
    await browser.goOn(back.location);
    const finish = await beginLateRequest(`${world.issuer}/session/end/confirm`, browser.agent, elsewhere);
    expect((await signOut(phone, 'all')).json()).to.include({ ended: 1 });
    expect(await finish()).to.equal(400);
    expect(await world.sessionOf(browser.agent)).to.equal(undefined);
    expect((await browser.start()).text).to.include('data-qr-login');
  });

  it('ends a sign-in that the browser has approved in the role of a phone and that another browser has not resumed yet', async () => {
    const { browser } = await signInBrowser();
    const other = new BrowserPerson(world);
    await other.start();
    const asPhone = new PhonePerson(world);
    for (const cookie of await browser.agent.jar.getCookies(world.issuer)) {
      await asPhone.agent.jar.setCookie(cookie, world.issuer);
    }
    await asPhone.scan(await other.code());
    await asPhone.approve();
    const { redirectTo } = (await other.finish()).json();
    await signOut(phone, 'all');
    await other.goOn(String(redirectTo));
    expect(await world.sessionOf(other.agent)).to.equal(undefined);
    expect((await other.start()).text).to.include('data-qr-login');
    expect((await ownBrowsers(phone)).browsers).to.deep.equal([]);
  });

  it('succeeds if the registration of one of its apps is no longer valid', async () => {
    const { browser } = await signInBrowser();
    const { Client } = world.provider;
    const find = Client.find.bind(Client);
    Client.find = async (id) => {
      if (id === 'rp') throw new errors.InvalidClientMetadata('the algorithm is not supported any more');
      return find(id);
    };
    expect((await onlyOne()).clients).to.deep.equal([]);
    expect((await signOut(phone, 'all')).json()).to.deep.equal({ ended: 1, unreached: 0 });
    Client.find = find;
    expect(await isSignedIn(browser)).to.equal(false);
  });

  it('ends all sessions before it waits for the apps', async () => {
    for (let count = 0; count < 12; count++) await signInBrowser();
    const ended = world.count('qr_login.signed_out');
    // The app answers only after all sessions have ended. Waiting for it before that would end after three seconds.
    inbox.answer = async () => {
      await until(() => ended() === 12);
      return 200;
    };
    expect((await signOut(phone, 'all')).json()).to.deep.equal({ ended: 12, unreached: 0 });
  });

  it('can be repeated if the store fails at any access', async () => {
    for (let failing = 1, failed = true; failed; failing++) {
      const { browser } = await signInBrowser();
      const { csrf, browsers } = await ownBrowsers(phone);
      const id = browsers[0]?.id ?? '';
      let accesses = 0;
      elsewhere.before = async () => {
        accesses += 1;
        if (accesses === failing) throw new Error('the disk is full');
      };
      const answer = await signOut(phone, id, csrf);
      elsewhere.before = async () => undefined;
      failed = accesses >= failing;
      expect(answer.status, `access ${failing} of ${accesses}`).to.equal(failed ? 503 : 200);
      if (failed) expect(answer.headers.get('retry-after')).to.equal('2');
      expect((await signOut(phone, id, csrf)).status).to.equal(200);
      expect(await isSignedIn(browser), `access ${failing}`).to.equal(false);
      expect((await ownBrowsers(phone)).browsers).to.deep.equal([]);
    }
  });

  it('works even if a sign-in could not be listed at first: an event reports the failure, and the next request lists the browser', async () => {
    const isList = ({ key }: Access): boolean => key.includes('browsers:');
    elsewhere.before = async (access) => {
      if (isList(access)) throw new Error('the disk is full');
    };
    const failures = world.collectPayloads('qr_login.failed');
    const { browser } = await signInBrowser();
    elsewhere.before = async () => undefined;
    // `collectPayloads` collects the argument after the context, which is the error.
    expect(failures).to.have.length(2);
    for (const failure of failures) expect(failure).to.include({ code: 'store_unavailable' });
    expect((await ownBrowsers(phone)).browsers).to.deep.equal([]);

    expect(await isSignedIn(browser)).to.equal(true);
    expect(await onlyOne()).to.include({ name: 'Chrome', system: 'Windows' });
    await signOut(phone, 'all');
    expect(await isSignedIn(browser)).to.equal(false);
  });

  it('happens automatically to the least recently used browser if there are more than a hundred', async () => {
    const { browser } = await signInBrowser();
    const { browser: other } = await signInBrowser();
    const key = listKey(world, 'browsers', 'a11ce');
    const list = await world.store.get<{ id: string; lastUsedAt: number }[]>(key);
    const [own, one, two] = list ?? [];
    if (own === undefined || one === undefined || two === undefined) throw new Error('there should be three entries');
    const more = Array.from({ length: 98 }, (_, number) => ({ ...two, id: `made up ${number}` }));
    await world.store.set(key, [own, one, two, ...more]);
    const signedOut = world.nextEvent('qr_login.signed_out');
    const { browser: last } = await signInBrowser();
    const [, event] = await signedOut;
    expect(event).to.deep.include({ accountId: 'a11ce', clientIds: ['rp'] });
    await until(() => inbox.received.length === 1);
    expect(await isSignedIn(browser)).to.equal(false);
    for (const stays of [other, last]) expect(await isSignedIn(stays)).to.equal(true);
    // The phone was used even longer ago. It is kept because its user has signed in on it directly.
    expect((await phone.agent.get(`${world.issuer}/account`)).text).to.include('Hello Alice');
  });
});
