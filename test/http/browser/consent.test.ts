import { expect } from 'chai';
import type { Answer } from '../../support/agent.ts';
import { type BrowserPerson, RP_CALLBACK, World } from '../../support/world.ts';

describe('the consent page', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(() => world?.stop());

  /** Returns a browser that is signed in, and its consent page. */
  const atConsent = async (): Promise<{ browser: BrowserPerson; page: Answer }> => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    await phone.approve();
    const page = await browser.goOn(String((await browser.finish()).json().redirectTo));
    expect(new URL(page.url).pathname).to.match(/^\/interaction\/[\w-]+$/);
    return { browser, page };
  };

  it('shows the app, the account, the scopes and the host of the redirect URI', async () => {
    const { page } = await atConsent();
    for (const text of ['Test app asks for access', 'Alice Liddell', 'see your profile', 'rp.localhost:9']) {
      expect(page.text).to.include(text);
    }
    expect(page.text).to.include(`action="${page.url.pathname}/consent"`);
    expect(page.text).to.include(`action="${page.url.pathname}/cancel"`);
  });

  it('answers scripts with the next URL, and redirects forms to it', async () => {
    const script = await atConsent();
    const granted = await script.browser.agent.post(`${script.page.url}/consent`, { json: {} });
    expect(granted.status).to.equal(200);
    const arrived = new URL((await script.browser.goOn(String(granted.json().redirectTo))).location);
    expect((await script.browser.tokens(arrived)).scope).to.equal('openid profile');

    const form = await atConsent();
    const submitted = await form.browser.agent.post(`${form.page.url}/consent`, { form: {} });
    expect(submitted.status).to.equal(303);
    expect((await form.browser.goOn(submitted.location)).location).to.include(`${RP_CALLBACK}?code=`);
  });

  it('grants the scopes that it showed, even if the request names other scopes', async () => {
    const { browser, page } = await atConsent();
    const granted = await browser.agent.post(`${page.url}/consent`, { json: { scope: 'openid profile email' } });
    const arrived = new URL((await browser.goOn(String(granted.json().redirectTo))).location);
    expect((await browser.tokens(arrived)).scope).to.equal('openid profile');
  });

  it('lets the user refuse', async () => {
    for (const sent of [{ json: {} }, { form: {} }]) {
      const { browser, page } = await atConsent();
      const answer = await browser.agent.post(`${page.url}/cancel`, sent);
      const next = 'json' in sent ? String(answer.json().redirectTo) : answer.location;
      const { searchParams } = new URL((await browser.goOn(next)).location);
      expect(searchParams.get('error')).to.equal('access_denied');
      expect(searchParams.get('state')).to.be.a('string');
    }
  });

  it('does not ask again for scopes that were granted', async () => {
    const { browser, page } = await atConsent();
    const granted = await browser.agent.post(`${page.url}/consent`, { json: {} });
    await browser.goOn(String(granted.json().redirectTo));
    expect((await browser.start()).location).to.include(`${RP_CALLBACK}?code=`);
    const more = await browser.start({ scope: 'openid profile email' });
    expect(more.text).to.include('see your email address').and.not.to.include('see your profile');
  });

  it('refuses requests that belong to the sign-in, and the QR page refuses a consent', async () => {
    const { browser, page } = await atConsent();
    for (const step of ['finish', 'renew']) {
      const answer = await browser.agent.post(`${page.url}/qr/${step}`, { json: {} });
      expect(answer.status).to.equal(409);
    }
    const other = await world.meet();
    const answer = await other.browser.agent.post(`${other.browser.at}/consent`, { json: {} });
    expect(answer.status).to.equal(409);
    expect((await other.browser.ticket()).state).to.equal('waiting');
  });
});
