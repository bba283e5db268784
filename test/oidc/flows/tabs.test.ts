import { expect } from 'chai';
import { allowConsent, approve, fieldsIn, finish, followInProvider } from '../../support/relying-party.ts';
import { openTab, openTabOnPhone } from '../../support/tabs.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

describe('the tabs of one browser', () => {
  let world: World;

  beforeEach(async () => {
    world = await World.start();
  });

  afterEach(() => world?.stop());

  const meet = async (
    parameters: Record<string, string> = {},
  ): Promise<{ one: BrowserPerson; two: BrowserPerson; phone: PhonePerson }> => {
    const one = new BrowserPerson(world);
    const two = openTab(one);
    const phone = await new PhonePerson(world).signIn();
    await one.start(parameters);
    await two.start(parameters);
    return { one, two, phone };
  };
  const subjectIn = async (tab: BrowserPerson): Promise<string | undefined> =>
    (await tab.tokens(new URL((await finish(tab)).location))).claims()?.sub;

  it('have one ticket each', async () => {
    const { one, two, phone } = await meet();
    expect(one.uid).not.to.equal(two.uid);
    expect((await one.code()).slice(0, -22)).not.to.equal((await two.code()).slice(0, -22));
    await phone.scan(await one.code());
    expect((await one.ticket()).state).to.equal('scanned');
    expect((await two.ticket()).state).to.equal('waiting');
  });

  it('all sign in, in any order of their steps', async () => {
    const { one, two, phone } = await meet();
    const other = openTabOnPhone(phone);
    await phone.scan(await one.code());
    await other.scan(await two.code());
    await other.approve();
    await phone.approve();
    const finished = (await one.finish()).json();
    expect(await subjectIn(two)).to.equal('a11ce');
    const late = await allowConsent(one, await followInProvider(one, String(finished.redirectTo)));
    expect((await one.tokens(new URL(late.location))).claims()?.sub).to.equal('a11ce');
  });

  it('all sign in with prompt=login although the browser is signed in already', async () => {
    const { browser, phone } = await world.meet();
    await approve(browser, phone);
    await browser.arrive();
    // Backdate the sign-in with which the phone scans, so that its next sign-in has another `auth_time` even on a fast
    // machine.
    await phone.backdateSignIn(60);
    const other = openTab(browser);
    await browser.start({ prompt: 'login' });
    await other.start({ prompt: 'login' });
    const tabs = [
      { tab: browser, on: phone },
      { tab: other, on: openTabOnPhone(phone) },
    ];
    for (const { tab, on } of tabs) await on.scan(await tab.code());
    await phone.signInAt(String((await phone.look()).json().signInAgain));
    for (const { on } of tabs) {
      on.csrf = String((await on.look()).json().csrf);
      expect((await on.approve()).status).to.equal(200);
    }
    expect(await subjectIn(other)).to.equal('a11ce');
    expect(await subjectIn(browser)).to.equal('a11ce');
  });

  it('continue if one of the others is cancelled or denied', async () => {
    const { one, two, phone } = await meet();
    const three = openTab(one);
    await three.start();
    await one.agent.post(`${one.at}/cancel`, { json: {} });
    const no = openTabOnPhone(phone);
    await no.scan(await two.code());
    await no.deny();
    const refused = await finish(two);
    expect(new URL(refused.location).searchParams.get('error')).to.equal('access_denied');
    await approve(three, phone);
    expect(await subjectIn(three)).to.equal('a11ce');
  });

  it('lead back to the RP if another tab signed out the account that they started with', async () => {
    const { browser, phone } = await world.meet();
    await approve(browser, phone);
    await browser.arrive();
    const tab = openTab(browser);
    await tab.start({ prompt: 'login' });
    expect((await tab.ticket()).state).to.equal('waiting');
    const { text } = await browser.agent.get(`${world.issuer}/session/end`);
    const form = { xsrf: fieldsIn(text).xsrf ?? '', logout: 'yes' };
    await browser.agent.post(`${world.issuer}/session/end/confirm`, { form });
    const page = await tab.agent.get(tab.at);
    expect(page.status).to.equal(404);
    expect(page.text).to.include('data-error="no_interaction"').and.to.include('href="http://rp.localhost:9"');
    expect((await tab.finish()).json().error).to.equal('no_interaction');
  });

  it('ask before a second account replaces the one that the first tab signed in', async () => {
    const { one, two, phone } = await meet();
    const bob = await new PhonePerson(world).signIn('bob');
    await approve(one, phone);
    expect(await subjectIn(one)).to.equal('a11ce');
    await approve(two, bob);
    const asked = await two.finish();
    expect(asked.status).to.equal(409);
    expect(asked.json().error).to.equal('account_switch');
  });

  it('get the same answer if two of them finish the same sign-in', async () => {
    const { one, phone } = await meet();
    const twin = openTab(one);
    twin.at = one.at;
    await twin.agent.get(twin.at);
    expect(await twin.code()).to.equal(await one.code());
    await approve(one, phone);
    const [first, second] = [await one.finish(), await twin.finish()];
    expect(second.status).to.equal(200);
    expect(second.json()).to.deep.equal(first.json());
  });
});
