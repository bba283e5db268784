import { expect } from 'chai';
import type { QrLoginOptions } from '../../../src/index.ts';
import { ACCOUNT_CLIENT } from '../../fixtures/account-page.ts';
import type { Answer } from '../../support/agent.ts';
import { allowConsent, approve, followInProvider, RelyingParty, send } from '../../support/relying-party.ts';
import { BrowserPerson, PASSWORDS, PhonePerson, testClient, World } from '../../support/world.ts';

const PASSWORD_ACR = 'urn:example:acr:password';
const ANDROID = { 'user-agent': 'Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 Chrome/150.0.0.0 Mobile' };

/** The options of a deployment that chooses the sign-in page by client, `acr_values` or user agent. */
const CHOOSING: Partial<QrLoginOptions> = {
  loginPage: (ctx, { params }) => {
    if (params.client_id === ACCOUNT_CLIENT || params.client_id === 'password-rp') return { path: 'password' };
    if (params.acr_values === PASSWORD_ACR) return { path: 'password' };
    return /Android|iPhone/.test(ctx.get('user-agent')) ? { path: 'password' } : undefined;
  },
  otherWays: (_ctx, { params }) =>
    params.client_id === 'choosing-rp'
      ? [
          { path: 'password', label: 'Use a password' },
          { path: 'pass_key-2', label: 'Use a <passkey>' },
        ]
      : [],
};

describe('the page of a sign-in', () => {
  let world: World;

  before(async () => {
    const clients = ['qr-rp', 'password-rp', 'choosing-rp'].map((id) => testClient(id));
    world = await World.start({ clients, qrLogin: CHOOSING });
  });

  after(() => world?.stop());

  interface StartedSignIn {
    readonly rp: RelyingParty;
    readonly browser: BrowserPerson;
    readonly page: Answer;
  }
  const start = async (
    clientId: string,
    parameters: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<StartedSignIn> => {
    const rp = await RelyingParty.at(world, clientId);
    const browser = new BrowserPerson(world, headers);
    return { rp, browser, page: await send(browser, await rp.url(parameters)) };
  };
  /** Signs in on the deployment's own page. @returns the URL at which the browser arrives at the RP */
  const byPassword = async (browser: BrowserPerson, page: string | URL): Promise<URL> => {
    const form = { name: 'alice', password: PASSWORDS.alice };
    const { location } = await browser.agent.post(page, { form });
    return new URL((await allowConsent(browser, await followInProvider(browser, location))).location);
  };

  it('is the QR page if the deployment chooses no other', async () => {
    const { browser, page } = await start('qr-rp');
    expect(page.url.pathname).to.match(/^\/interaction\/[\w-]+$/);
    expect(page.text).to.include('data-code><svg');
    expect(page.text).not.to.include(`${new URL(browser.at).pathname}/password`);
  });

  const OWN: Record<string, [string, Record<string, string>, Record<string, string>]> = {
    'the client': ['password-rp', {}, {}],
    acr_values: ['qr-rp', { acr_values: PASSWORD_ACR }, {}],
    'the user agent': ['qr-rp', {}, ANDROID],
  };
  for (const [what, request] of Object.entries(OWN)) {
    it(`is the deployment's own page if the deployment chooses by ${what}, and the sign-in can be finished there`, async () => {
      const shown = world.count('qr_login.shown');
      const { rp, browser, page } = await start(...request);
      expect(page.url.pathname).to.match(/^\/interaction\/[\w-]+\/password$/);
      expect(page.text).not.to.include('data-code><svg');
      const claims = (await rp.tokens(await byPassword(browser, page.url))).claims();
      expect(claims).to.include({ sub: 'a11ce', acr: PASSWORD_ACR });
      expect(claims?.amr).to.deep.equal(['pwd']);
      expect(shown()).to.equal(0);
    });
  }

  it('is chosen again for each request, even of the same client', async () => {
    expect((await start('qr-rp', { acr_values: PASSWORD_ACR })).page.text).not.to.include('data-code><svg');
    expect((await start('qr-rp', { acr_values: 'another' })).page.text).to.include('data-code><svg');
  });

  it("offers the deployment's other ways to sign in, with links below the same interaction", async () => {
    const { browser, page } = await start('choosing-rp');
    const self = new URL(browser.at).pathname;
    expect(page.text).to.include(`href="${self}/password">Use a password</a>`);
    expect(page.text).to.include(`href="${self}/pass_key-2">Use a &lt;passkey&gt;</a>`);
    expect(page.text).to.include('data-code><svg');
  });

  it("can be left for the deployment's own page, which finishes the sign-in with the interaction cookie", async () => {
    const { rp, browser } = await start('choosing-rp');
    expect((await browser.ticket()).state).to.equal('waiting');
    const own = await browser.agent.get(`${browser.at}/password`);
    expect(own.status).to.equal(200);
    expect((await rp.tokens(await byPassword(browser, own.url))).claims()?.amr).to.deep.equal(['pwd']);
    expect((await browser.finish()).json().error).to.equal('no_interaction');
  });

  it("can be the deployment's own page first and the QR page afterwards", async () => {
    const { rp, browser } = await start('choosing-rp');
    await browser.agent.get(`${browser.at}/password`);
    const wrong = { name: 'alice', password: 'forgotten' };
    expect((await browser.agent.post(`${browser.at}/password`, { form: wrong })).status).to.equal(401);
    await approve(browser, await new PhonePerson(world).signIn());
    const { redirectTo } = (await browser.finish()).json();
    const arrived = await allowConsent(browser, await followInProvider(browser, String(redirectTo)));
    expect((await rp.tokens(new URL(arrived.location))).claims()?.amr).to.include('mca');
  });

  it("ignores a phone's approval after the deployment's own page has signed the user in", async () => {
    const { rp, browser } = await start('choosing-rp');
    const bob = await new PhonePerson(world).signIn('bob');
    await bob.scan(await browser.code());
    const form = { name: 'alice', password: PASSWORDS.alice };
    const { location } = await browser.agent.post(`${browser.at}/password`, { form });
    await bob.approve();
    expect((await browser.finish()).json()).to.deep.equal({ redirectTo: location });
    const arrived = await allowConsent(browser, await followInProvider(browser, location));
    expect((await rp.tokens(new URL(arrived.location))).claims()?.sub).to.equal('a11ce');
  });

  it('does not let a browser that did not start the sign-in finish it', async () => {
    const { browser } = await start('choosing-rp');
    const form = { name: 'bob', password: PASSWORDS.bob };
    const stranger = new BrowserPerson(world);
    expect((await stranger.agent.post(`${browser.at}/password`, { form })).status).to.equal(404);
    expect((await browser.ticket()).state).to.equal('waiting');
  });
});
