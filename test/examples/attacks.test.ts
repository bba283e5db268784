import { expect } from 'chai';
import { CLIENT_ID, CLIENT_SECRET, RP_CALLBACK, testClient } from '../fixtures/test-client.ts';
import { LOSSES } from '../security/pages/headers.ts';
import { markupAttacks } from '../security/pages/markup.ts';
import { HTML, must, sent, signedIn } from '../security/pages/visits.ts';
import { attacks as redirects } from '../security/redirects/redirects.ts';
import type { Answer } from '../support/agent.ts';
import { type Running, serve } from '../support/server.ts';
import type { Site } from '../support/visitors.ts';
import { EXAMPLE } from './example-setting.ts';

/** Matches the names of the attacks on pages that a deployment makes itself. */
const ON_OWN_PAGES = /account page|link to the sign-in|login_hint|description of an error/;

describe('the example’s own pages under attack', () => {
  let example: Running;
  let site: Site;

  before(async () => {
    example = await serve((issuer) => {
      site = { issuer, client: { id: CLIENT_ID, secret: CLIENT_SECRET, callback: RP_CALLBACK } };
      return EXAMPLE.makeProvider({ issuer, clients: [testClient(CLIENT_ID)], qrLogin: { limits: false } });
    });
  });

  after(() => example?.stop());

  const attacks = [...redirects, ...markupAttacks].filter(({ name }) => ON_OWN_PAGES.test(name));

  it('face five attacks', () => {
    expect(attacks).to.have.length(5);
  });

  for (const { name, run } of attacks) {
    it(`${name} – fails`, async () => {
      expect(await run(site)).to.equal(undefined);
    });
  }

  it('have the headers of the plugin’s pages', async () => {
    const { browser } = await sent(site);
    const { agent } = await signedIn(site);
    const pages: readonly Answer[] = [
      must(await browser.agent.get(`${browser.at}/password`, HTML), 200),
      must(await agent.get(`${site.issuer}/account`, HTML), 200),
      must(await agent.get(`${site.issuer}/account/signed-in?error_description=x`, HTML), 200),
      must(await agent.get(`${site.issuer}/session/end`, HTML), 200),
    ];
    for (const page of pages) {
      const open = LOSSES.filter(({ isOpen }) => isOpen(page)).map(({ name }) => name);
      expect(open, page.url.href).to.deep.equal([]);
    }
  });
});
