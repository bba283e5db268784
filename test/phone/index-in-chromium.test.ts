import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { closeChromium } from '../chromium/chromium.ts';
import { PASSWORD_ACR } from '../fixtures/sign-in-page.ts';
import { BrowserPerson } from '../support/world.ts';
import { AppPageSite } from './app-page.ts';

describe("the library in a page of Chromium at another origin than the provider's", () => {
  let site: AppPageSite;

  before(async () => {
    const features = { devInteractions: { enabled: false }, claimsParameter: { enabled: true } };
    site = await AppPageSite.start({ configuration: { features } });
  });

  after(async () => {
    await site?.stop();
    await closeChromium();
  });

  const asked = (page: Page): Promise<unknown> => page.evaluate('ticket.asked');

  it('signs a browser in with a key that the page cannot export, and sees each step', async () => {
    const { browser, page } = await site.scan();
    expect(await asked(page)).to.deep.include({ state: 'scanned', account: { name: 'Alice Liddell' } });
    const watched = page.evaluate(`(async () => {
      const states = [];
      for await (const { state } of ticket.watch()) {
        states.push(state);
        if (state === 'scanned') await ticket.approve();
      }
      return states;
    })()`);
    await browser.after((await browser.ticket()).version);
    expect((await browser.tokens(await browser.arrive())).claims()?.sub).to.equal('a11ce');
    expect(await watched).to.deep.equal(['scanned', 'approved', 'finished']);
    const exported = `storedKeys().then(({ privateKey }) => crypto.subtle.exportKey('jwk', privateKey))`;
    expect(await page.evaluate(`failure(() => ${exported})`)).to.include({ name: 'InvalidAccessError' });
  });

  it('generates a key that cannot be exported, and can store it in IndexedDB', async () => {
    const page = await site.visit(site.origin);
    const jwk = await page.evaluate(`(async () => {
      const keys = await library.generateKeys();
      await keepKeys(keys);
      return (await library.webCryptoSigner(keys)).publicJwk;
    })()`);
    await page.reload();
    await page.waitForFunction('window.ready');
    expect(
      await page.evaluate('storedKeys().then(library.webCryptoSigner).then(({ publicJwk }) => publicJwk)'),
    ).to.deep.equal(jwk);
    expect(await page.evaluate('storedKeys().then(({ privateKey }) => privateKey.extractable)')).to.equal(false);
  });

  it('denies and reports', async () => {
    for (const [decision, reason] of [
      ['deny', 'person'],
      ['report', 'report'],
    ] as const) {
      const { browser, page } = await site.scan({ name: 'bob' });
      expect(await page.evaluate(`ticket.${decision}()`)).to.include({ state: 'denied', reason });
      expect((await browser.ticket()).state).to.equal('denied');
    }
  });

  it('reads the demanded sign-in across origins, and continues after that sign-in', async () => {
    const { browser, app, page } = await site.scan({ parameters: { prompt: 'login' } });
    const error = await page.evaluate('failure(() => ticket.approve())');
    expect(error).to.deep.include({ code: 'insufficient_user_authentication', action: 'step_up', status: 401 });
    expect(error).to.have.property('requirement').that.includes({ maxAge: 0 });
    await app.signIn('alice', { max_age: '0' });
    await page.evaluate(
      `start('${site.world.issuer}', '${app.accessToken}').then(() => phone.ticket(ticket.id)).then((same) => { window.ticket = same; })`,
    );
    expect(await page.evaluate('ticket.approve()')).to.include({ state: 'approved' });
    expect((await browser.tokens(await browser.arrive(), { maxAge: 30 })).claims()?.acr).to.equal(PASSWORD_ACR);
  });

  it('works on a phone whose clock is wrong by an hour', async () => {
    const browser = new BrowserPerson(site.world);
    await browser.start();
    const { page } = await site.open('alice');
    await page.evaluate('{ const now = Date.now.bind(Date); Date.now = () => now() - 3_600_000; }');
    expect(await page.evaluate(`phone.scan('${await browser.code()}').then(({ asked }) => asked.state)`)).to.equal(
      'scanned',
    );
  });

  it('cannot be used by a page of another origin, not even with token and key', async () => {
    const { app } = await site.open('alice');
    const foreign = await site.visit(site.origin.replace('localhost', '127.0.0.1'));
    await site.giveKey(foreign, app);
    expect(await foreign.evaluate(`failure(() => phone.ticket('any'))`)).to.include({ code: 'network' });
  });
});
