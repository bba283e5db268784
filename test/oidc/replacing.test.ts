import { expect } from 'chai';
import { allow, approve, fieldsIn, outOf } from '../support/relying-party.ts';
import { tabOf } from '../support/tabs.ts';
import { type BrowserPerson, PASSWORDS, World } from '../support/world.ts';

describe('a browser in which somebody else has signed in, in another tab, after the sign-in was finished', () => {
  let world: World;

  beforeEach(async () => {
    world = await World.start();
  });

  afterEach(() => world?.stop());

  it('asks before that account is signed out, without any script', async () => {
    const { browser, finished } = await finishedBeside('bob');
    const page = await outOf(browser, finished);
    expect(page.status).to.equal(200);
    expect(page.text).to.include('This browser is signed in as Bob Sawyer').and.not.to.include('<script');
    expect(page.headers.get('content-security-policy')).to.include("frame-ancestors 'none'");
    expect((await world.sessionOf(browser.agent))?.accountId).to.equal('b0b');
  });

  it('goes on with whoever approved where that is agreed to', async () => {
    const { browser, finished } = await finishedBeside('bob');
    await outOf(browser, finished);
    const agreed = await browser.agent.post(`${browser.at}/qr/finish`, { form: { switchAccount: 'yes' } });
    expect(agreed.status).to.equal(303);
    // oidc-provider signs bob out by a form that sends itself.
    const form = await outOf(browser, agreed.location);
    const out = await browser.agent.post(`${world.issuer}/session/end/confirm`, { form: fieldsIn(form.text) });
    const arrived = await allow(browser, await outOf(browser, out.location));
    expect((await browser.tokens(new URL(arrived.location))).claims()?.sub).to.equal('a11ce');
  });

  it('goes back to the app where it is not, and stays as it was', async () => {
    const { browser, finished } = await finishedBeside('bob');
    await outOf(browser, finished);
    const cancelled = await browser.agent.post(`${browser.at}/cancel`, { form: {} });
    const arrived = await outOf(browser, cancelled.location);
    expect(new URL(arrived.location).searchParams.get('error')).to.equal('access_denied');
    expect((await world.sessionOf(browser.agent))?.accountId).to.equal('b0b');
  });

  it('is not asked where it is the same account', async () => {
    const { browser, finished } = await finishedBeside('alice');
    const arrived = await allow(browser, await outOf(browser, finished));
    expect((await browser.tokens(new URL(arrived.location))).claims()?.sub).to.equal('a11ce');
  });

  /** Alice has approved, the browser has finished, and goes on only after somebody has signed in in another tab. */
  async function finishedBeside(name: keyof typeof PASSWORDS): Promise<{ browser: BrowserPerson; finished: string }> {
    const { browser, phone } = await world.meet();
    await approve(browser, phone);
    const finished = String((await browser.finish()).json().redirectTo);
    const tab = tabOf(browser);
    await tab.start();
    const signedIn = await tab.agent.post(`${tab.at}/password`, { form: { name, password: PASSWORDS[name] } });
    await outOf(tab, signedIn.location);
    return { browser, finished };
  }
});
