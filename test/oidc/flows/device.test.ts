import { expect } from 'chai';
import type { AdapterFactory } from 'oidc-provider';
import {
  type Configuration,
  type DeviceAuthorizationResponse,
  genericGrantRequest,
  initiateDeviceAuthorization,
  type TokenEndpointResponse,
  type TokenEndpointResponseHelpers,
} from 'openid-client';
import type { Answer } from '../../support/agent.ts';
import { ownBrowsers } from '../../support/own-browsers.ts';
import { OwnRecords } from '../../support/own-records.ts';
import {
  allowConsent,
  approve,
  errorOf,
  fieldsIn,
  followInProvider,
  RelyingParty,
  withFeatures,
} from '../../support/relying-party.ts';
import { BrowserPerson, PhonePerson, testClient, World, type WorldOptions } from '../../support/world.ts';

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

describe('a device that has no browser (RFC 8628)', () => {
  let world: World;
  let tv: Configuration;
  let started: DeviceAuthorizationResponse;

  before(async () => {
    world = await World.start(withTelevision());
    tv = (await RelyingParty.at(world, 'tv')).configuration;
  });

  after(() => world?.stop());

  beforeEach(async () => {
    started = await initiateDeviceAuthorization(tv, { scope: 'openid profile' });
  });

  const poll = (): Promise<TokenEndpointResponse & TokenEndpointResponseHelpers> =>
    genericGrantRequest(tv, DEVICE_GRANT, { device_code: started.device_code });
  /** Types the user code and confirms that it is the one on the device. */
  const typeUserCode = async (browser: BrowserPerson): Promise<Answer> => {
    const asked = await browser.agent.get(started.verification_uri);
    const form = { xsrf: xsrfIn(asked), user_code: started.user_code };
    const confirm = await browser.agent.post(started.verification_uri, { form });
    expect(confirm.text).to.include('Television');
    const typed = await browser.agent.post(started.verification_uri, { form: fieldsIn(confirm.text) });
    const page = await followInProvider(
      browser,
      typed.location === '' ? typed.url : new URL(typed.location, typed.url),
    );
    browser.at = page.url.href;
    return page;
  };
  const meet = async (): Promise<{ browser: BrowserPerson; phone: PhonePerson }> => {
    const browser = new BrowserPerson(world);
    await typeUserCode(browser);
    return { browser, phone: await new PhonePerson(world).signIn() };
  };
  /** Finishes the sign-in and allows the consent. @returns the page that shows the result */
  const end = async (browser: BrowserPerson): Promise<Answer> => {
    const { redirectTo } = (await browser.finish()).json();
    return allowConsent(browser, await followInProvider(browser, String(redirectTo)));
  };

  it('gets its tokens after the browser with the user code was signed in by QR', async () => {
    const { browser, phone } = await meet();
    expect(await errorOf(poll())).to.equal('authorization_pending');
    await approve(browser, phone);
    expect(await errorOf(poll())).to.equal('authorization_pending');
    const page = await end(browser);
    expect(page.status).to.equal(200);
    expect(page.text).to.include('Sign-in Success');
    const claims = (await poll()).claims();
    expect(claims).to.include({ sub: 'a11ce', aud: 'tv', acr: 'urn:example:acr:password' });
    expect(claims?.amr).to.include('mca');
    expect(claims?.auth_time).to.be.a('number');
    const { browsers } = await ownBrowsers(phone);
    expect(browsers.map(({ clients }) => clients)).to.deep.equal([[{ id: 'tv', name: 'Television', hosts: [] }]]);
  });

  it('is named on both screens, even though it has no redirect host', async () => {
    const browser = new BrowserPerson(world);
    expect((await typeUserCode(browser)).text).to.include('Sign in to Television');
    const phone = await new PhonePerson(world).signIn();
    await phone.scan(await browser.code());
    expect((await phone.look()).json().client).to.deep.equal({ id: 'tv', name: 'Television' });
    const confirm = (await phone.agent.follow(phone.at)).text;
    expect(confirm).to.include('Television').and.to.include('value="approve"');
    expect(confirm).not.to.include('Goes to');
  });

  it('gets access_denied if the phone denies', async () => {
    const { browser, phone } = await meet();
    await phone.scan(await browser.code());
    await phone.deny();
    const page = await end(browser);
    expect(page.text).to.include('The Sign-in request was interrupted');
    expect(await errorOf(poll())).to.equal('access_denied');
  });

  it('gets access_denied if the browser cancels', async () => {
    const { browser } = await meet();
    const cancelled = await browser.agent.post(`${browser.at}/cancel`, { json: {} });
    await followInProvider(browser, String(cancelled.json().redirectTo));
    expect(await errorOf(poll())).to.equal('access_denied');
  });

  it('gets access_denied if the user refuses to consent', async () => {
    const { browser, phone } = await meet();
    await approve(browser, phone);
    const consent = await followInProvider(browser, String((await browser.finish()).json().redirectTo));
    const refused = await browser.agent.post(`${consent.url}/cancel`, { json: {} });
    await followInProvider(browser, String(refused.json().redirectTo));
    expect(await errorOf(poll())).to.equal('access_denied');
  });

  it('needs no QR code if the browser with the user code is signed in already', async () => {
    const { browser, phone } = await meet();
    await approve(browser, phone);
    await end(browser);
    const shown = world.count('qr_login.shown');
    started = await initiateDeviceAuthorization(tv, { scope: 'openid profile' });
    const asked = await browser.agent.get(started.verification_uri);
    const form = { xsrf: xsrfIn(asked), user_code: started.user_code, confirm: 'yes' };
    expect((await browser.agent.post(started.verification_uri, { form })).text).to.include('Sign-in Success');
    expect((await poll()).claims()?.sub).to.equal('a11ce');
    expect(shown()).to.equal(0);
  });

  it('has its client URI linked on the page of an expired sign-in', async () => {
    const { browser } = await meet();
    await world.provider.Interaction.adapter.destroy(browser.uid);
    const page = await browser.agent.get(browser.at);
    expect(page.status).to.equal(404);
    expect(page.text).to.include('href="https://tv.example/"');
  });

  it('gets its tokens even if the browser reloads the page after finishing', async () => {
    const { browser, phone } = await meet();
    await approve(browser, phone);
    const { redirectTo } = (await browser.finish()).json();
    const back = await browser.agent.get(browser.at);
    expect(back.status).to.equal(303);
    expect(back.location).to.equal(redirectTo).and.to.include(`${world.issuer}/device/`);
    await allowConsent(browser, await followInProvider(browser, back.location));
    expect((await poll()).claims()?.sub).to.equal('a11ce');
  });

  it('gets its tokens even if the last request of the browser fails at any access and is repeated', async () => {
    const records = new OwnRecords();
    const usual = { world, tv };
    world = await World.start(withTelevision(records.adapter));
    tv = (await RelyingParty.at(world, 'tv')).configuration;
    try {
      let at = 1;
      while (await failOnce(records, at)) at += 1;
      expect(at).to.be.greaterThan(5);
    } finally {
      await world.stop();
      ({ world, tv } = usual);
    }
  });

  /**
   * Signs in. In the browser's last request, one access to the store fails; then repeats that request.
   * @returns false if the last request has no access with the number `at`
   */
  async function failOnce(records: OwnRecords, at: number): Promise<boolean> {
    started = await initiateDeviceAuthorization(tv, { scope: 'openid profile' });
    const { browser, phone } = await meet();
    await approve(browser, phone);
    const { redirectTo } = (await browser.finish()).json();
    const asked = await followInProvider(browser, String(redirectTo));
    const granted = await browser.agent.post(`${asked.url}/consent`, { json: {} });
    const last = String(granted.json().redirectTo);
    records.failAt(at, at % 2 === 0);
    const { status } = await browser.agent.get(last);
    const hasFailed = records.heal();
    const page = status === 200 ? undefined : await browser.agent.get(last);
    if (page !== undefined) expect(page.text, `access ${at}`).to.include('Sign-in Success');
    expect((await poll()).claims()?.sub, `access ${at}`).to.equal('a11ce');
    return hasFailed;
  }
});

function xsrfIn({ text }: Answer): string {
  return fieldsIn(text).xsrf ?? '';
}

function withTelevision(adapter?: AdapterFactory): WorldOptions {
  return {
    clients: [
      testClient('tv', {
        client_name: 'Television',
        client_uri: 'https://tv.example/',
        redirect_uris: [],
        response_types: [],
        grant_types: [DEVICE_GRANT],
      }),
    ],
    configuration: { ...withFeatures({ deviceFlow: { enabled: true } }), ...(adapter && { adapter }) },
    extend: ({ provider }) => {
      // Keep Koa from printing the errors of a failing adapter.
      provider.silent = adapter !== undefined;
    },
  };
}
