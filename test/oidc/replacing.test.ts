import { expect } from 'chai';
import { allowConsent, approve, fieldsIn, followInProvider } from '../support/relying-party.ts';
import { openTab } from '../support/tabs.ts';
import { type BrowserPerson, PASSWORDS, World } from '../support/world.ts';

describe('a finished sign-in in a browser in which another tab has signed in since', () => {
  let world: World;

  beforeEach(async () => {
    world = await World.start();
  });

  afterEach(() => world?.stop());

  it('asks before it signs out another account, without any script', async () => {
    const { browser, finished } = await finishBesideTab('bob');
    const page = await followInProvider(browser, finished);
    expect(page.status).to.equal(200);
    expect(page.text).to.include('This browser is signed in as Bob Sawyer').and.not.to.include('<script');
    expect(page.headers.get('content-security-policy')).to.include("frame-ancestors 'none'");
    expect((await world.sessionOf(browser.agent))?.accountId).to.equal('b0b');
  });

  it('continues with the account that approved if the user agrees', async () => {
    const { browser, finished } = await finishBesideTab('bob');
    await followInProvider(browser, finished);
    const agreed = await browser.agent.post(`${browser.at}/qr/finish`, { form: { switchAccount: 'yes' } });
    expect(agreed.status).to.equal(303);
    // oidc-provider signs bob out with a form that submits itself.
    const form = await followInProvider(browser, agreed.location);
    const out = await browser.agent.post(`${world.issuer}/session/end/confirm`, { form: fieldsIn(form.text) });
    const arrived = await allowConsent(browser, await followInProvider(browser, out.location));
    expect((await browser.tokens(new URL(arrived.location))).claims()?.sub).to.equal('a11ce');
  });

  it('returns to the app with access_denied and keeps the other account if the user declines', async () => {
    const { browser, finished } = await finishBesideTab('bob');
    await followInProvider(browser, finished);
    const cancelled = await browser.agent.post(`${browser.at}/cancel`, { form: {} });
    const arrived = await followInProvider(browser, cancelled.location);
    expect(new URL(arrived.location).searchParams.get('error')).to.equal('access_denied');
    expect((await world.sessionOf(browser.agent))?.accountId).to.equal('b0b');
  });

  it('does not ask if the other tab signed in the same account', async () => {
    const { browser, finished } = await finishBesideTab('alice');
    const arrived = await allowConsent(browser, await followInProvider(browser, finished));
    expect((await browser.tokens(new URL(arrived.location))).claims()?.sub).to.equal('a11ce');
  });

  /**
   * Lets Alice approve and the browser finish. Before the browser continues, signs the named account in in another tab.
   */
  async function finishBesideTab(name: keyof typeof PASSWORDS): Promise<{ browser: BrowserPerson; finished: string }> {
    const { browser, phone } = await world.meet();
    await approve(browser, phone);
    const finished = String((await browser.finish()).json().redirectTo);
    const tab = openTab(browser);
    await tab.start();
    const signedIn = await tab.agent.post(`${tab.at}/password`, { form: { name, password: PASSWORDS[name] } });
    await followInProvider(tab, signedIn.location);
    return { browser, finished };
  }
});
