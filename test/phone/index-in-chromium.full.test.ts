import { expect } from 'chai';
import { closeChromium } from '../chromium/chromium.ts';
import type { WorldOptions } from '../support/world.ts';
import { AppPageSite } from './app-page.ts';
import { revokeGrant } from './app-phone.ts';

/** Starts a provider with these options and the app's page, acts on them, and stops them. */
async function during(options: WorldOptions, act: (site: AppPageSite) => Promise<void>): Promise<void> {
  const site = await AppPageSite.start(options);
  try {
    await act(site);
  } finally {
    await site.stop();
  }
}

describe('the library in a page of Chromium, in every kind of sign-in', () => {
  after(closeChromium);

  it('gets the check code for the page to show', () =>
    during({ qrLogin: { assess: () => 'check code' } }, async (site) => {
      const { browser, page } = await site.scan();
      const checkCode = await page.evaluate<string>('ticket.approve().then(({ checkCode }) => checkCode)');
      expect((await browser.finish(checkCode)).status).to.equal(200);
      expect(await page.evaluate('ticket.refresh()')).to.include({ state: 'finished' });
    }));

  it('gives consent', () =>
    during({ qrLogin: { consent: () => 'phone' } }, async (site) => {
      const { browser, page } = await site.scan({ parameters: { scope: 'openid email' } });
      expect(await page.evaluate('ticket.approve()')).to.include({ state: 'approved', consent: true });
      const arrived = await browser.goOn(`${(await browser.finish()).json().redirectTo}`);
      expect((await browser.tokens(new URL(arrived.location))).scope).to.equal('openid email');
    }));

  it('is told which acr is demanded', () =>
    during(
      { configuration: { features: { devInteractions: { enabled: false }, claimsParameter: { enabled: true } } } },
      async (site) => {
        const claims = JSON.stringify({ id_token: { acr: { essential: true, values: ['urn:a', 'urn:b'] } } });
        const { page } = await site.scan({ parameters: { claims } });
        const error = await page.evaluate('failure(() => ticket.approve())');
        expect(error)
          .to.have.property('requirement')
          .that.deep.includes({ acrValues: ['urn:a', 'urn:b'] });
        expect(await page.evaluate('ticket.unable()')).to.include({ state: 'denied', reason: 'acr' });
      },
    ));

  it('refreshes its token, and is told when its grant is revoked', () =>
    during({}, async (site) => {
      const { browser, app, page } = await site.scan();
      const token = await site.world.provider.AccessToken.find(app.accessToken);
      await token?.destroy();
      expect(await page.evaluate('ticket.refresh()')).to.include({ state: 'scanned' });
      await revokeGrant(site.world, app);
      expect(await page.evaluate('failure(() => ticket.approve())')).to.include({
        code: 'invalid_token',
        action: 'sign_in',
      });
      expect((await browser.ticket()).state).to.equal('scanned');
    }));

  it('cannot approve once the account is deleted', () =>
    during({}, async (site) => {
      const { page } = await site.scan({ name: 'bob' });
      site.world.accounts.remove('b0b');
      expect(await page.evaluate('failure(() => ticket.approve())')).to.include({ code: 'account_unavailable' });
    }));

  it('owns its ticket, so that another page of the same account cannot scan it', () =>
    during({}, async (site) => {
      const { page, code } = await site.scan();
      const other = await site.open('alice');
      expect(await other.page.evaluate(`failure(() => phone.scan('${code}'))`)).to.include({ reason: 'elsewhere' });
      expect(await page.evaluate('ticket.approve()')).to.include({ state: 'approved' });
    }));
});
