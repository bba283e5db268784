import { expect } from 'chai';
import { CLIENT_ID, CLIENT_SECRET, RP_CALLBACK, testClient } from '../fixtures/test-client.ts';
import { LOSSES } from '../security/pages/headers.ts';
import { markupAttacks } from '../security/pages/markup.ts';
import { HTML, must, signInPhone, startSignIn } from '../security/pages/visits.ts';
import { attacks as redirects } from '../security/redirects/redirects.ts';
import type { Answer } from '../support/agent.ts';
import { type RunningServer, serve } from '../support/server.ts';
import { PhoneVisitor, type Site } from '../support/visitors.ts';
import { EXAMPLE } from './example-setting.ts';

/** Matches the names of the attacks on pages that a deployment makes itself. */
const ON_OWN_PAGES = /account page|link to the sign-in|login_hint|description of an error/;

describe('the example’s own pages under attack', () => {
  let example: RunningServer;
  let site: Site;

  before(async () => {
    example = await serve((issuer) => {
      site = { issuer, client: { id: CLIENT_ID, secret: CLIENT_SECRET, callback: RP_CALLBACK } };
      return EXAMPLE.makeProvider({ issuer, clients: [testClient(CLIENT_ID)], qrLogin: { limits: false } });
    });
  });

  after(() => example?.stop());

  const attacks = [...redirects, ...markupAttacks].filter(({ name }) => ON_OWN_PAGES.test(name));

  it('are tested with five attacks', () => {
    expect(attacks).to.have.length(5);
  });

  for (const { name, run } of attacks) {
    it(`${name} – fails`, async () => {
      expect(await run(site)).to.equal(undefined);
    });
  }

  it('have the headers of the plugin’s pages', async () => {
    const { browser } = await startSignIn(site);
    const { agent } = await signInPhone(site);
    const stranger = new PhoneVisitor(site);
    const pages: readonly Answer[] = [
      must(await browser.agent.get(`${browser.at}/password`, HTML), 200),
      must(await agent.get(`${site.issuer}/account`, HTML), 200),
      must(await stranger.agent.get(await refusedSignIn(stranger, site.issuer), HTML), 200),
      must(await agent.get(`${site.issuer}/session/end`, HTML), 200),
    ];
    for (const page of pages) {
      const open = LOSSES.filter(({ isOpen }) => isOpen(page)).map(({ name }) => name);
      expect(open, page.url.href).to.deep.equal([]);
    }
  });

  it('say that a sign-in has failed only if this browser has tried it, and never because of a link', async () => {
    const { agent } = await signInPhone(site);
    const said = 'You were not signed in on this device';
    const claims = new URLSearchParams({
      error: 'access_denied',
      error_description: 'Call 555-0100',
      state: 'made up',
    });
    const claimed = await agent.follow(`${site.issuer}/account/signed-in?${claims}`);
    expect(claimed.text).to.include('Hello Alice').and.not.include(said).and.not.include('555-0100');
    const stranger = new PhoneVisitor(site);
    const failed = await refusedSignIn(stranger, site.issuer);
    expect((await stranger.agent.get(failed, HTML)).text).to.include(said);
    // Open the same address in another browser.
    const other = await signInPhone(site);
    expect((await other.agent.follow(failed)).text).not.to.include(said);
  });
});

/** Cancels a sign-in for the account page. @returns the address to which the answer goes */
async function refusedSignIn({ agent }: PhoneVisitor, issuer: string): Promise<URL> {
  const page = await agent.follow(`${issuer}/qr/devices`);
  const interaction = page.url.href.replace(/\/password$/, '');
  const { location } = await agent.post(`${interaction}/cancel`, { form: {}, ...HTML });
  const resumed = await agent.get(new URL(location, issuer), HTML);
  return new URL(resumed.location, issuer);
}
