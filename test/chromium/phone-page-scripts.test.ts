import { expect } from 'chai';
import type { Page } from 'playwright-core';
import type { RunningServer } from '../support/server.ts';
import { approve, askToSignIn, checkCodeOn } from './acts.ts';
import { CALM, openChromium } from './chromium.ts';
import { openGallery } from './gallery.ts';
import { scan, signedInPhone } from './phones.ts';
import { useStage } from './use-stage.ts';

describe('the number on the phone', () => {
  const stage = useStage({ assess: () => 'check code' });

  it('is shown in two groups, and can be copied by a button that confirms it', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const context = await signedInPhone(stage(), { permissions: ['clipboard-read', 'clipboard-write'] });
    const phone = await scan(stage(), screen, context);
    await approve(phone);
    expect(await phone.locator('.check-code').textContent()).to.match(/^\d{3} \d{3}$/);
    const digits = await checkCodeOn(phone);
    await phone.getByRole('button', { name: 'Copy' }).click();
    await phone.getByRole('status').filter({ hasText: 'Copied' }).waitFor();
    expect(await phone.evaluate<string>('navigator.clipboard.readText()')).to.equal(digits);
    await phone.getByText('It belongs in the window of Chrome on Linux').waitFor();
  });
});

describe('the page for a rate limit', () => {
  let gallery: RunningServer;

  before(async () => {
    gallery = await openGallery();
  });

  after(() => gallery?.stop());

  const during = async (look: (page: Page) => Promise<void>, javaScriptEnabled = true): Promise<void> => {
    const context = await (await openChromium()).newContext({ ...CALM, javaScriptEnabled });
    try {
      const page = await context.newPage();
      if (javaScriptEnabled) await page.clock.install();
      await page.goto(`${gallery.origin}/error/too_many_requests`);
      await look(page);
    } finally {
      await context.close();
    }
  };

  it('counts down the seconds, and says when a retry is allowed', () =>
    during(async (page) => {
      await page.getByText('You can try again in 0:17').waitFor();
      await page.clock.runFor(5_000);
      await page.getByText('You can try again in 0:12').waitFor();
      await page.clock.runFor(13_000);
      await page.getByRole('status').filter({ hasText: 'You can try again now.' }).waitFor();
      expect(await page.locator('[data-time]').isVisible()).to.equal(false);
      expect(await page.getByRole('link', { name: 'Try again' }).isVisible()).to.equal(true);
    }));

  it('names the seconds without JavaScript', () =>
    during(async (page) => {
      expect(await page.getByText('Try again in 17 seconds.').isVisible()).to.equal(true);
      expect(await page.locator('[data-time]').isVisible()).to.equal(false);
      expect(await page.getByRole('link', { name: 'Try again' }).isVisible()).to.equal(true);
    }, false));
});

describe('a page without a link that leads on', () => {
  it('has a button that goes back, if there is a page to go back to', async () => {
    const gallery = await openGallery();
    const context = await (await openChromium()).newContext(CALM);
    try {
      const page = await context.newPage();
      await page.goto(`${gallery.origin}/landing/by%20hand`);
      await page.goto(`${gallery.origin}/error/${encodeURIComponent('no_interaction: no-cookies')}`);
      await page.getByRole('heading', { name: 'Cookies are switched off' }).waitFor();
      await page.getByRole('button', { name: 'Go back' }).click();
      await page.getByRole('heading', { name: 'Sign in on another device' }).waitFor();
    } finally {
      await context.close();
      await gallery.stop();
    }
  });
});

describe('the logo of a client in Chromium', () => {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8" onload="parent.hacked = true"><script>globalThis.hacked = true; top.hacked = true</script><rect width="8" height="8" style="fill:red"/></svg>`;
  const stage = useStage({ clientLogo: () => `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}` });

  it('is shown on the confirm page, and runs no script, neither there nor opened as a page', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const phone = await scan(stage(), screen);
    const logo = phone.locator('img.logo');
    await logo.waitFor();
    expect(await phone.evaluate<number>(`document.querySelector('img.logo').naturalWidth`)).to.equal(8);
    expect(await phone.evaluate<string>('typeof hacked')).to.equal('undefined');

    stage().expectProblem(/Content Security Policy|sandboxed/);
    const src = (await logo.getAttribute('src')) ?? '';
    const alone = await stage().open(phone.context(), new URL(src, phone.url()).href);
    await alone.locator('rect').waitFor({ state: 'attached' });
    expect(await alone.evaluate<string>('typeof hacked')).to.equal('undefined');
    expect(await alone.evaluate<string>('origin')).to.equal('null');
  });
});
