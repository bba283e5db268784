import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { approve, arriveAtConfirm, askToSignIn, fillInPasswordPage } from '../chromium/acts.ts';
import { AXE, barriers, LANGUAGES } from '../chromium/axe.ts';
import { signedInPhone, signInOn } from '../chromium/phones.ts';
import { readCode } from '../chromium/qr-from-pixels.ts';
import { useStage } from '../chromium/use-stage.ts';
import { deviceWithPasskey, MENU_OF_PASSKEYS } from '../chromium/virtual-passkey.ts';
import { isFullSuite } from '../support/full-suite.ts';
import { EXAMPLE } from './example-setting.ts';

describe('the example’s own pages', () => {
  const stage = useStage({}, { passkeys: true }, EXAMPLE);

  it('can add a passkey of this device, which is then required to approve', async () => {
    const { page } = await deviceWithPasskey(stage());
    const screen = await askToSignIn(stage(), await stage().desktop());
    await page.goto(await readCode(screen));
    await arriveAtConfirm(page);
    await page.getByText('Your phone will ask for your passkey').waitFor();
    await approve(page);
  });

  it('can sign a user in with a passkey that the name field of the password page offers', async () => {
    const { page } = await deviceWithPasskey(stage());
    await page.context().clearCookies({ name: /^_session/ });
    await page.context().addInitScript(MENU_OF_PASSKEYS);
    await page.goto(`${stage().rpUrl}/login`);
    await page.getByRole('link', { name: 'Sign in with a password' }).click();
    await page.getByRole('button', { name: 'Allow' }).click();
    expect(await page.locator('b').textContent()).to.equal('Alice Liddell');
    await page.goto(`${stage().issuer}/`);
    expect(await page.evaluate('sessionStorage.mediation')).to.equal('conditional');
  });

  it('change the mail address after the phone has approved the new address', async () => {
    const [desktop, phone] = [await stage().desktop(), await signedInPhone(stage())];
    await signInOn(stage(), desktop, 'bob');
    await signInOn(stage(), phone, 'bob');
    const screen = await stage().open(desktop, `${stage().issuer}/account`);
    await screen.getByLabel('New address').fill('robert@example.org');
    await screen.getByRole('button', { name: 'Change the address' }).click();
    const page = await stage().open(phone, await readCode(screen));
    await page.getByText('New address: robert@example.org').waitFor();
    await page.getByRole('button', { name: 'Yes, approve' }).click();
    await screen.getByRole('heading', { name: 'Hello Bob Sawyer' }).waitFor();
    expect(await screen.locator('.person bdi').textContent()).to.equal('robert@example.org');
  });

  it('offer a phone the decision on the same device, and change nothing if it declines', async () => {
    const phone = await signedInPhone(stage(), { userAgent: 'Mozilla/5.0 (Linux; Android 16) Chrome/150 Mobile' });
    const page = await stage().open(phone, `${stage().issuer}/account`);
    await page.getByLabel('New address').fill('mallory@example.org');
    await page.getByRole('button', { name: 'Change the address' }).click();
    await page.getByRole('button', { name: 'Decide on this device' }).click();
    await page.getByRole('button', { name: 'No, decline' }).click();
    // The phone returns automatically to the page that asked.
    await page.getByRole('heading', { name: 'This was not approved' }).waitFor();
    await page.goto(`${stage().issuer}/account`);
    expect(await page.locator('.person bdi').textContent()).to.equal('alice@example.com');
  });

  it('let the user sign in with the password if the browser does not support passkeys', async () => {
    const phone = await stage().phone();
    await phone.addInitScript('delete globalThis.PublicKeyCredential;');
    const page = await stage().open(phone, `${stage().issuer}/account`);
    await fillInPasswordPage(page);
    await page.getByRole('heading', { name: 'Hello Alice Liddell' }).waitFor();
  });

  for (const language of isFullSuite ? LANGUAGES : []) {
    it(`have no barrier that axe finds, and fit a screen of 320 pixels, in ${language}`, async () => {
      stage().expectProblem(/40[01]/);
      const phone = await stage().phone({ locale: language, viewport: { width: 320, height: 640 } });
      await phone.addInitScript({ path: AXE });
      const page = await stage().open(phone, `${stage().issuer}/account`);
      await expectNoBarrier(page, language);
      await fillInPasswordPage(page, 'alice', 'wrong');
      await page.locator('#mistake:not(:empty)').waitFor();
      await expectNoBarrier(page, language);
      await fillInPasswordPage(page);
      await page.locator('a[href$="/qr/scan"]').waitFor();
      await expectNoBarrier(page, language);
      await page.goto(`${stage().issuer}/session/end`);
      await expectNoBarrier(page, language);
      await page.goto(`${stage().issuer}/session/end/success`);
      await expectNoBarrier(page, language);
      await page.goto(`${stage().issuer}/auth`);
      await expectNoBarrier(page, language);
      await page.goto(`${stage().issuer}/`);
      await expectNoBarrier(page, language);
    });
  }
});

async function expectNoBarrier(page: Page, language: string): Promise<void> {
  expect(await page.locator('html').getAttribute('lang'), page.url()).to.equal(language);
  expect(await barriers(page), page.url()).to.deep.equal([]);
  expect(await page.evaluate<number>('document.documentElement.scrollWidth'), page.url()).to.equal(320);
}
