import { expect } from 'chai';
import { allowConsent, approve, followInProvider } from '../../support/relying-party.ts';
import { BrowserPerson, World } from '../../support/world.ts';

describe('the back button and the reload button', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(() => world?.stop());

  const HOME = 'href="http://rp.localhost:9"';

  it('show the same ticket as long as it is live', async () => {
    const { browser, phone } = await world.meet();
    const shown = world.count('qr_login.shown');
    const { version } = await browser.ticket();
    const codeIn = (page: string): string => /data-code><svg.*?<\/svg>/s.exec(page)?.[0] ?? '';
    const page = (await browser.agent.get(browser.at)).text;
    expect(codeIn(page)).not.to.equal('');
    expect(await browser.ticket()).to.include({ version, state: 'waiting' });
    await phone.scan(await browser.code());
    expect((await browser.agent.get(browser.at)).text).to.include('data-screen="scanned"');
    await phone.approve();
    expect((await browser.agent.get(browser.at)).text).to.include('data-screen="finishing"');
    expect(shown()).to.equal(0);
    await browser.arrive();
  });

  it('repeat the redirect if the sign-in is finished and the browser has not followed it yet', async () => {
    const { browser, phone } = await world.meet();
    await approve(browser, phone);
    const { redirectTo } = (await browser.finish()).json();
    const back = await browser.agent.get(browser.at);
    expect(back.status).to.equal(303);
    expect(back.location).to.equal(redirectTo);
    const arrived = await browser.arriveFrom(back.location);
    expect((await browser.tokens(arrived)).claims()?.sub).to.equal('a11ce');
  });

  it('repeat the redirect if the sign-in was finished on a page of the deployment', async () => {
    const browser = new BrowserPerson(world);
    await browser.start();
    const form = { name: 'alice', password: 'wonderland' };
    const { location } = await browser.agent.post(`${browser.at}/password`, { form });
    const back = await browser.agent.get(browser.at);
    expect(back.status).to.equal(303);
    expect(back.location).to.equal(location);
    expect((await browser.finish()).json()).to.deep.equal({ redirectTo: location });
    expect((await browser.tokens(await browser.arriveFrom(location))).claims()?.amr).to.deep.equal(['pwd']);
  });

  it('lead back to the RP from the QR page of a sign-in that is over', async () => {
    const { browser, phone } = await world.meet();
    await approve(browser, phone);
    await browser.arrive();
    const back = await browser.agent.get(browser.at);
    expect(back.status).to.equal(404);
    expect(back.text).to.include(HOME).and.to.include('Back to rp.localhost:9');
    expect((await browser.finish()).json().error).to.equal('no_interaction');
  });

  it('lead back to the RP from the consent page of a sign-in that is over', async () => {
    const { browser, phone } = await world.meet();
    await approve(browser, phone);
    const consent = await followInProvider(browser, String((await browser.finish()).json().redirectTo));
    const granted = await browser.agent.post(`${consent.url}/consent`, { json: {} });
    await browser.goOn(String(granted.json().redirectTo));
    const back = await browser.agent.get(consent.url);
    expect(back.status).to.equal(404);
    expect(back.text).to.include(HOME);
    const again = await browser.agent.post(`${consent.url}/consent`, { form: {} });
    expect(again.status).to.equal(404);
    expect(again.text).to.include(HOME);
  });

  it('show the consent page again while it waits for the user', async () => {
    const { browser, phone } = await world.meet();
    await approve(browser, phone);
    const consent = await followInProvider(browser, String((await browser.finish()).json().redirectTo));
    const reloaded = await browser.agent.get(consent.url);
    expect(reloaded.text).to.equal(consent.text);
    expect((await browser.agent.get(browser.at)).text).to.include(HOME);
    const arrived = await allowConsent(browser, reloaded);
    expect((await browser.tokens(new URL(arrived.location))).claims()?.sub).to.equal('a11ce');
  });

  it('lead back to the RP after the user cancelled', async () => {
    const browser = new BrowserPerson(world);
    await browser.start();
    const { redirectTo } = (await browser.agent.post(`${browser.at}/cancel`, { json: {} })).json();
    expect((await browser.agent.get(browser.at)).location).to.equal(redirectTo);
    await browser.goOn(String(redirectTo));
    const back = await browser.agent.get(browser.at);
    expect(back.status).to.equal(404);
    expect(back.text).to.include(HOME);
  });

  it('start a new sign-in if the authorization request itself is loaded again', async () => {
    const { browser, phone } = await world.meet();
    const before = browser.uid;
    await browser.start();
    expect(browser.uid).not.to.equal(before);
    await approve(browser, phone);
    expect((await browser.tokens(await browser.arrive())).claims()?.sub).to.equal('a11ce');
  });
});
