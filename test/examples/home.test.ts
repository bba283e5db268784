import { expect } from 'chai';
import { CLIENT_ID, CLIENT_SECRET, RP_CALLBACK, testClient } from '../fixtures/test-client.ts';
import { browserAt, phoneOf } from '../security/meeting.ts';
import { Agent, type Answer } from '../support/agent.ts';
import { type RunningServer, serve } from '../support/server.ts';
import type { Site } from '../support/visitors.ts';
import { makeExampleProvider } from './example-setting.ts';

const GERMAN = { headers: { accept: 'text/html', 'accept-language': 'de' } };
const HTML = { headers: { accept: 'text/html' } };

describe('the pages around a sign-in at the example', () => {
  let example: RunningServer;
  let site: Site;

  before(async () => {
    example = await serve((issuer) => {
      site = { issuer, client: { id: CLIENT_ID, secret: CLIENT_SECRET, callback: RP_CALLBACK } };
      const clients = [testClient(CLIENT_ID)];
      return makeExampleProvider({ issuer, clients, demoUrl: 'http://demo.localhost:9', passkeys: true });
    });
  });

  after(() => example?.stop());

  const xsrfIn = ({ text }: Answer): string => /name="xsrf" value="([\w-]+)"/.exec(text)?.[1] ?? '';

  it('begin at "/", in the language of the user, with links to the other pages', async () => {
    const page = await new Agent().get(`${site.issuer}/`, GERMAN);
    expect(page.status).to.equal(200);
    expect(page.text).to.include('lang="de"').and.include('Mit dem Smartphone anmelden');
    expect(page.text).to.include('href="http://demo.localhost:9"').and.include('href="/account"');
    const phone = await phoneOf(site);
    const own = await phone.agent.get(`${site.issuer}/`, HTML);
    expect(own.text).to.include('You are signed in as Alice Liddell.').and.include('href="/qr/scan"');
    expect((await phone.agent.get(`${site.issuer}/nothing`, HTML)).status).to.equal(404);
  });

  it('include the account page with links to browsers, passkeys and the sign-out', async () => {
    const phone = await phoneOf(site);
    const { text } = await phone.agent.get(`${site.issuer}/account`, HTML);
    expect(text).to.include('Hello Alice Liddell').and.include('alice@example.com').and.include('>AL<');
    for (const link of ['/qr/scan', '/qr/devices', '/session/end?client_id=account']) {
      expect(text).to.include(`href="${link}"`);
    }
    expect(text).to.include('Add a passkey of this device');
  });

  it('describe the sign-out from the account page before and after it', async () => {
    const phone = await phoneOf(site);
    const asked = await phone.agent.get(`${site.issuer}/session/end?client_id=account`, HTML);
    expect(asked.text).to.include('You will be signed out of Example ID on this device');
    expect(asked.text).to.include('<a class="button secondary" href="/account">No, stay signed in</a>');
    const form = { xsrf: xsrfIn(asked), logout: 'yes' };
    const left = await phone.agent.post(`${site.issuer}/session/end/confirm`, { form });
    const done = await phone.agent.get(new URL(left.location, site.issuer), GERMAN);
    expect(done.text).to.include('lang="de"').and.include('Sie sind abgemeldet').and.include('href="/account"');
    expect((await phone.agent.get(`${site.issuer}/account`, HTML)).status).to.equal(302);
  });

  it('say that the user stays signed in if only the app has signed out', async () => {
    const phone = await phoneOf(site);
    const asked = await phone.agent.get(`${site.issuer}/session/end?client_id=${CLIENT_ID}`, HTML);
    expect(asked.text).to.include('The app has signed you out.');
    const left = await phone.agent.post(`${site.issuer}/session/end/confirm`, { form: { xsrf: xsrfIn(asked) } });
    const done = await phone.agent.get(new URL(left.location, site.issuer), HTML);
    expect(done.text).to.include('You stay signed in').and.include('href="/account"');
    expect((await phone.agent.get(`${site.issuer}/account`, HTML)).status).to.equal(200);
  });

  it('link from the password page of an app to its QR page, and return access_denied to the app on Cancel', async () => {
    const browser = await browserAt(site);
    const page = await browser.agent.get(`${browser.at}/password`, HTML);
    const self = new URL(browser.at).pathname;
    expect(page.text).to.include(`You continue to ${CLIENT_ID}.`).and.include(`href="${self}"`);
    expect(page.text).to.include('autocomplete="username webauthn"').and.include(`data-passkeys="${self}/qr/passkey"`);
    const cancelled = await browser.submit(`${browser.at}/cancel`, {});
    expect(cancelled.status).to.equal(303);
    const back = await browser.agent.get(new URL(cancelled.location, site.issuer), HTML);
    expect(new URL(back.location).searchParams.get('error')).to.equal('access_denied');
  });

  it('offer no QR code to a phone that signs in to its own account, and explain a cancelled sign-in', async () => {
    const agent = new Agent();
    const page = await agent.follow(`${site.issuer}/account`);
    expect(page.url.pathname).to.match(/\/password$/);
    expect(page.text).not.to.include('Use the QR code instead');
    const [, cancel = ''] = /action="([^"]+\/cancel)"/.exec(page.text) ?? [];
    const cancelled = await agent.post(new URL(cancel, site.issuer), { form: {} });
    const end = await agent.follow(new URL(cancelled.location, site.issuer));
    expect(end.text).to.include('You were not signed in on this device.').and.include('href="/"');
  });
});
