import { expect } from 'chai';
import type { BrowserPerson, PhonePerson } from '../../support/world.ts';
import { World } from '../../support/world.ts';

const HOUR_SECONDS = 3600;

describe('the auth_time of a sign-in', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(() => world?.stop());

  /** Creates a phone that signed in an hour ago, and a browser with a request that has these parameters. */
  const meet = async (
    demands: Record<string, string>,
  ): Promise<{ browser: BrowserPerson; phone: PhonePerson; signedInAt: number }> => {
    const { browser, phone } = await world.meet();
    const signedInAt = await phone.backdateSignIn(HOUR_SECONDS);
    await browser.start(demands);
    return { browser, phone, signedInAt };
  };
  const authTime = async (browser: BrowserPerson): Promise<number> =>
    Number((await browser.tokens(await browser.arrive())).claims()?.auth_time);

  it('is the auth_time of the phone if the request demands nothing', async () => {
    const { browser, phone, signedInAt } = await meet({});
    await phone.scan(await browser.code());
    expect((await phone.look()).json()).not.to.have.property('signInAgain');
    await phone.approve();
    expect(await authTime(browser)).to.equal(signedInAt);
  });

  it('is the auth_time of the phone if it is recent enough', async () => {
    const { browser, phone, signedInAt } = await meet({ max_age: String(2 * HOUR_SECONDS) });
    await phone.scan(await browser.code());
    expect((await phone.look()).json()).not.to.have.property('signInAgain');
    await phone.approve();
    expect(await authTime(browser)).to.equal(signedInAt);
  });

  const DEMANDS: Record<string, Record<string, string>> = {
    'prompt=login': { prompt: 'login' },
    'max_age=0': { max_age: '0' },
    'a max_age that the phone does not meet': { max_age: '600' },
    'both prompt=login and max_age': { prompt: 'login', max_age: String(2 * HOUR_SECONDS) },
  };
  for (const [what, demands] of Object.entries(DEMANDS)) {
    it(`is not earlier than the request if the request has ${what}`, async () => {
      const asked = Math.floor(Date.now() / 1000);
      const { browser, phone } = await meet(demands);
      await phone.scan(await browser.code());
      const signInAgain = String((await phone.look()).json().signInAgain);
      expect(new URL(signInAgain).searchParams.get('prompt')).to.equal('login');

      const early = await phone.approve();
      expect(early.status).to.equal(403);
      expect(early.json().error).to.equal('sign_in_again');
      expect((await browser.ticket()).state).to.equal('scanned');

      const back = await phone.signInAt(signInAgain);
      expect(back.url.href).to.equal(phone.at);
      const again = (await phone.look()).json();
      expect(again).not.to.have.property('signInAgain');
      phone.csrf = String(again.csrf);
      expect((await phone.approve()).status).to.equal(200);
      expect(await authTime(browser)).to.be.at.least(asked);
    });
  }

  it('must be renewed if the request demands it: the page offers "Sign in again" and Deny instead of Approve', async () => {
    const { browser, phone } = await meet({ prompt: 'login' });
    await phone.scan(await browser.code());
    const page = (await phone.agent.follow(phone.at)).text;
    expect(page).to.include('Sign in again').and.not.to.include('value="approve"');
    expect(page).to.include('value="deny"');
    expect((await phone.deny()).status).to.equal(200);
  });

  it('must be renewed on the phone even if the browser is signed in already', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    await phone.approve();
    await browser.arrive();
    await phone.backdateSignIn(HOUR_SECONDS);
    const page = await browser.start({ prompt: 'login' });
    expect(page.text).to.include('data-code><svg');
    await phone.scan(await browser.code());
    expect((await phone.approve()).json().error).to.equal('sign_in_again');
  });

  it('is not renewed if another account signs in on the phone', async () => {
    const { browser, phone } = await meet({ prompt: 'login' });
    await phone.scan(await browser.code());
    const signInAgain = String((await phone.look()).json().signInAgain);
    // The provider signs alice out first, with a form that submits itself.
    const leaving = await phone.signInAt(signInAgain, 'bob');
    expect((await phone.approve()).status).to.be.within(401, 404);
    const [, xsrf = ''] = /name="xsrf" value="([\w-]+)"/.exec(leaving.text) ?? [];
    const left = await phone.agent.post(`${world.issuer}/session/end/confirm`, { form: { xsrf, logout: 'yes' } });
    await phone.agent.follow(new URL(left.location, world.issuer));
    expect((await phone.agent.get(`${world.issuer}/account`)).text).to.include('Hello Bob');
    expect((await phone.look()).status).to.equal(404);
    expect((await phone.approve()).status).to.be.within(403, 404);
    expect((await browser.ticket()).state).to.equal('scanned');
  });
});
