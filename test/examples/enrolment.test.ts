import { expect } from 'chai';
import type pino from 'pino';
import { makeLogger } from '../../examples/log.ts';
import { CLIENT_ID, CLIENT_SECRET, RP_CALLBACK, testClient } from '../fixtures/test-client.ts';
import { attacks } from '../security/enrolment/enrolment.ts';
import { Authenticator } from '../security/guard/authenticator.ts';
import { challengeInBrowser, signInWith } from '../security/guard/people.ts';
import { browserAt, phoneOf, scanAndApprove } from '../security/meeting.ts';
import { goOn } from '../security/scene.ts';
import type { Answer } from '../support/agent.ts';
import { type RunningServer, serve } from '../support/server.ts';
import type { BrowserVisitor, Site } from '../support/visitors.ts';
import { makeExampleProvider } from './example-setting.ts';

const HTML = { headers: { accept: 'text/html' } };

describe('the enrolment of passkeys at the example', () => {
  let example: RunningServer;
  let site: Site;
  let lines: string[];

  beforeEach(async () => {
    lines = [];
    example = await serve((issuer) => {
      site = { issuer, client: { id: CLIENT_ID, secret: CLIENT_SECRET, callback: RP_CALLBACK } };
      const logger = makeLogger({ write: (line) => lines.push(line) } satisfies pino.DestinationStream);
      const clients = [testClient(CLIENT_ID)];
      return makeExampleProvider({ issuer, clients, logger, passkeys: true, qrLogin: { limits: false } });
    });
  });

  afterEach(() => example?.stop());

  /** Returns a browser that a phone has signed in. */
  const signInByPhone = async (): Promise<BrowserVisitor> => {
    const [browser, phone] = [await browserAt(site), await phoneOf(site)];
    const finished = await browser.finish(await scanAndApprove(phone, browser));
    await goOn(browser, finished.json().redirectTo);
    return browser;
  };
  const accountPage = (browser: BrowserVisitor): Promise<Answer> => browser.agent.get(`${site.issuer}/account`, HTML);

  for (const { name, run } of attacks) {
    it(`resists an attacker who ${name}`, async () => {
      expect(await run(site)).to.equal(undefined);
    });
  }

  it('asks for the password in a browser that a phone signed in, and continues after it', async () => {
    const browser = await signInByPhone();
    const page = await accountPage(browser);
    expect(page.text).to.include('Hello Alice').and.not.include('Add a passkey of this device');
    const [, link = ''] = /href="([^"]+)">Sign in again to add or remove passkeys/.exec(page.text) ?? [];

    // Both links of the page contain the secret in the cookie of this browser.
    const states = [...page.text.matchAll(/state=([\w-]+)\./g)].map(([, secret]) => secret);
    const cookies = await browser.agent.jar.getCookies(`${site.issuer}/account`);
    const secret = cookies.find(({ key }) => key === 'account_state')?.value;
    expect(states).to.deep.equal([secret, secret]);

    const form = await browser.agent.follow(link.replaceAll('&amp;', '&'));
    const answer = await browser.submit(form.url, { name: 'alice', password: 'wonderland' });
    const back = await browser.agent.follow(new URL(answer.location, form.url));
    expect(back.url.pathname).to.equal('/account');
    expect(back.text).to.include('Add a passkey of this device');
    expect((await new Authenticator(site.issuer).enrol(browser)).status).to.equal(200);
  });

  it('offers a passkey to a browser that was signed in by a phone: the phone can approve it, and the user can decline', async () => {
    const browser = await signInByPhone();
    const { text } = await accountPage(browser);
    const [, link = ''] = /href="([^"]+)">Let your phone approve a passkey/.exec(text) ?? [];
    const offer = await browser.agent.follow(link.replaceAll('&amp;', '&'));
    expect(offer.text).to.include('Sign in here without your phone next time?');
    const answer = await browser.submit(`${offer.url}/qr/new-passkey`, { skip: 'yes' });
    const back = await browser.agent.follow(new URL(answer.location, offer.url));
    expect(back.url.pathname).to.equal('/account');
  });

  it('answers a browser whose user has not authenticated there recently with the address to sign in again', async () => {
    const browser = await signInByPhone();
    const answer = await browser.post(`${site.issuer}/account/passkeys/options`, {});
    expect(answer.status).to.equal(403);
    const { error, sign_in: signIn } = answer.json();
    expect(error).to.equal('insufficient_user_authentication');
    const query = new URL(`${signIn}`).searchParams;
    expect(Object.fromEntries(query)).to.include({ prompt: 'login', login_hint: 'alice' });
    // `state` begins with this browser's secret, so that only this browser can bring back the authorization response.
    expect(query.get('state')).to.match(/^[\w-]+\.\/account$/);
  });

  it('lists each passkey, and removes it in a browser in which the user has typed the password', async () => {
    const phone = await phoneOf(site);
    const passkey = await new Authenticator(site.issuer).register(phone);
    const page = async (): Promise<string> => (await phone.agent.get(`${site.issuer}/account`, HTML)).text;
    expect(await page()).to.include(passkey.id);

    const remove = `${site.issuer}/account/passkeys/remove`;
    const bob = await phoneOf(site, 'bob');
    expect((await bob.submit(remove, { id: passkey.id })).status).to.equal(303);
    expect(await page()).to.include(passkey.id);

    expect((await phone.submit(remove, { id: passkey.id })).location).to.equal('/account');
    expect(await page()).not.to.include(passkey.id);
    const browser = await browserAt(site);
    expect((await signInWith(browser, passkey.answer(await challengeInBrowser(browser)))).status).to.equal(403);
  });

  it('removes no passkey for a browser that a phone signed in', async () => {
    const browser = await signInByPhone();
    const passkey = await new Authenticator(site.issuer).register(await phoneOf(site));
    await browser.submit(`${site.issuer}/account/passkeys/remove`, { id: passkey.id });
    expect((await accountPage(browser)).text)
      .to.include('Passkey, added')
      .and.not.to.include('Remove');
    const later = await browserAt(site);
    expect((await signInWith(later, passkey.answer(await challengeInBrowser(later)))).status).to.equal(200);
  });

  it('logs each new passkey with its account and browser', async () => {
    const phone = await phoneOf(site);
    await new Authenticator(site.issuer).register(phone);
    const added = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'passkey.added');
    expect(added).to.have.length(1);
    expect(added[0]).to.deep.include({ accountId: 'a11ce', browser: { name: 'Safari', system: 'iOS' } });
  });

  it('refuses requests that a page of another site has sent', async () => {
    const phone = await phoneOf(site);
    for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'same-site' }, { origin: 'null' }]) {
      const answer = await phone.agent.post(`${site.issuer}/account/passkeys/options`, { json: {}, headers });
      expect(answer.status, JSON.stringify(headers)).to.equal(403);
    }
  });
});
