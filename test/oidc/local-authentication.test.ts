import { expect } from 'chai';
import { type LocalAuthentication, type LocalAuthenticationOptions, localAuthentication } from '../../src/index.ts';
import { siteOf } from '../security/attack.ts';
import { Authenticator } from '../security/guard/authenticator.ts';
import { challengeInBrowser, signInWith } from '../security/guard/people.ts';
import { browserAt, phoneOf, scanAndApprove } from '../security/meeting.ts';
import { goOn, startWith } from '../security/scene.ts';
import type { Agent } from '../support/agent.ts';
import type { Site } from '../support/visitors.ts';
import { World } from '../support/world.ts';

const HOUR_SECONDS = 3600;

describe('the result of localAuthentication', () => {
  let world: World;
  let site: Site;
  let options: LocalAuthenticationOptions;

  beforeEach(async () => {
    options = {};
    world = await World.start({
      passkeys: true,
      extend: ({ provider }) =>
        provider.use(async (ctx, next) => {
          if (ctx.path !== '/presence') return next();
          ctx.body = (await localAuthentication(provider, ctx, options)) ?? {};
        }),
    });
    site = siteOf(world);
  });

  afterEach(() => world?.stop());

  const authenticationIn = async (agent: Agent): Promise<Partial<LocalAuthentication>> =>
    (await agent.get(`${site.issuer}/presence`)).json();

  it('is undefined in a browser in which no user is signed in', async () => {
    expect(await authenticationIn((await browserAt(site)).agent)).to.deep.equal({});
  });

  it('has the account, the time and the methods of a sign-in with a password', async () => {
    const before = Math.floor(Date.now() / 1000);
    const { agent } = await phoneOf(site);
    const { authenticatedAt, ...rest } = await authenticationIn(agent);
    expect(rest).to.deep.equal({ accountId: 'a11ce', acr: 'urn:example:acr:password', amr: ['pwd'] });
    expect(authenticatedAt).to.be.within(before, Date.now() / 1000);
  });

  it('is undefined in a browser that a phone signed in, until the user signs in there', async () => {
    const [browser, phone] = [await browserAt(site), await phoneOf(site)];
    const finished = await browser.finish(await scanAndApprove(phone, browser));
    await goOn(browser, finished.json().redirectTo);
    expect(await authenticationIn(browser.agent)).to.deep.equal({});

    await startWith(browser, { prompt: 'login' });
    await goOn(browser, await browser.signInWithPassword('alice'));
    expect(await authenticationIn(browser.agent)).to.deep.include({ accountId: 'a11ce', amr: ['pwd'] });
  });

  it('has the methods of a sign-in with a passkey on the QR page', async () => {
    const passkey = await new Authenticator(site.issuer).register(await phoneOf(site));
    const browser = await browserAt(site);
    const signedIn = await signInWith(browser, passkey.answer(await challengeInBrowser(browser)));
    await goOn(browser, signedIn.json().redirectTo);
    expect(await authenticationIn(browser.agent)).to.deep.include({ accountId: 'a11ce', amr: ['pop', 'user'] });
  });

  it('is undefined if the authentication is older than maxAge, or if maxAge is not a number', async () => {
    const phone = await phoneOf(site);
    await world.changeSessionOf(phone.agent, { loginTs: Math.floor(Date.now() / 1000) - HOUR_SECONDS });
    for (const [maxAge, accountId] of [[2 * HOUR_SECONDS, 'a11ce'], [HOUR_SECONDS - 1], [Number.NaN]] as const) {
      options = { maxAge };
      expect((await authenticationIn(phone.agent)).accountId, `${maxAge}`).to.equal(accountId);
    }
  });
});
