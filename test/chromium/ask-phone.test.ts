import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { assessByDefault, type NotifiedRequest } from '../../src/index.ts';
import { allow, approve, askToSignIn, checkCodeOn, seeCode, seeScreen, waitForYes } from './acts.ts';
import { AXE, barriers } from './axe.ts';
import { scan, signedInPhone } from './phones.ts';
import { useStage } from './use-stage.ts';

let notified: NotifiedRequest[] = [];

describe('"Ask my phone", in Chromium', () => {
  const stage = useStage({
    assess: assessByDefault,
    askPhone: {},
    notify: (_accountId, request) => void notified.push(request),
  });

  beforeEach(() => {
    notified = [];
  });

  /** Returns a browser that alice trusts by its key. */
  async function trustedBrowser(): Promise<BrowserContext> {
    const desktop = await stage().desktop();
    const screen = await askToSignIn(stage(), desktop);
    const phone = await scan(stage(), screen);
    await phone.getByLabel('Keep me signed in on that device').check();
    await approve(phone);
    await screen.getByLabel('6-digit number').fill(await checkCodeOn(phone));
    expect((await allow(screen)).sub).to.equal('a11ce');
    await desktop.clearCookies({ name: /^_session/ });
    return desktop;
  }

  async function ask(desktop: BrowserContext): Promise<Page> {
    const screen = await askToSignIn(stage(), desktop);
    await screen.getByRole('button', { name: 'Ask my phone' }).click();
    await seeScreen(screen, 'asked');
    return screen;
  }

  it('signs in without a scan: the phone opens the request, and its user types the number of the screen', async () => {
    const screen = await ask(await trustedBrowser());
    await screen.getByRole('heading', { name: 'Look at your phone' }).waitFor();
    expect(await screen.locator('[data-code] svg').count()).to.equal(0);
    const phone = await stage().open(await signedInPhone(stage()), `${stage().issuer}/qr/devices`);
    await phone.getByRole('button', { name: /^Open/ }).click();
    await waitForYes(phone);
    await seeScreen(screen, 'scanned');
    const number = (await screen.locator('[data-number] strong').textContent()) ?? '';
    expect(number).to.match(/^[1-9]\d$/);
    for (const page of [screen, phone]) {
      await page.evaluate(readFileSync(AXE, 'utf8'));
      expect(await barriers(page)).to.deep.equal([]);
    }
    await phone.getByLabel('Which number is on the other device?').fill(number);
    // The key "Go" of a phone's keyboard approves, and does not decline.
    await phone.getByLabel('Which number is on the other device?').press('Enter');
    expect((await allow(screen)).sub).to.equal('a11ce');
    await phone.getByRole('heading', { name: 'Signed in' }).waitFor();
    expect(notified).to.have.length(1);
  });

  it('shows a code by itself if no phone opens the request in time', async () => {
    const screen = await ask(await trustedBrowser());
    stage().clock.forward(31);
    await seeScreen(screen, 'waiting');
    await seeCode(screen);
    const phone = await scan(stage(), screen);
    await approve(phone);
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  it('is not offered by a browser that has only copies of the cookies of another one', async () => {
    const desktop = await trustedBrowser();
    const cookies = await desktop.cookies(`${stage().issuer}/interaction/any`);
    const thief = await stage().desktop();
    await thief.addCookies(cookies.filter(({ name }) => /_qr_(?:memory|account)/.test(name)));
    const screen = await askToSignIn(stage(), thief);
    await screen.waitForLoadState();
    expect(await screen.locator('form[data-ask-phone]').count()).to.equal(1);
    expect(await screen.getByRole('button', { name: 'Ask my phone' }).count()).to.equal(0);
  });
});
