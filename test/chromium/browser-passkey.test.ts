import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { approve, askToSignIn, claimsOn, seeCode } from './acts.ts';
import { AXE, barriers } from './axe.ts';
import { scanCode, signedInPhone } from './phones.ts';
import { readCode } from './qr-from-pixels.ts';
import { useStage } from './use-stage.ts';
import { MENU_OF_PASSKEYS, withAuthenticator } from './virtual-passkey.ts';

describe('a passkey after the QR code, in a real browser', () => {
  const stage = useStage({}, { passkeys: true, browserPasskeys: true });

  /** Signs a browser in with "Keep me signed in on that device", up to the page after the consent page. */
  const signIn = async (screen: Page, phone: BrowserContext): Promise<void> => {
    const page = await scanCode(stage(), await readCode(screen), phone);
    await page.getByLabel('Keep me signed in on that device').check();
    await approve(page);
    await screen.getByRole('button', { name: 'Allow' }).click();
  };

  it('is offered once, approved on the phone, created in the browser, and is the first way to sign in the next time', async () => {
    const [desktop, phone] = [await stage().desktop(), await signedInPhone(stage())];
    await desktop.addInitScript({ path: AXE });
    await phone.addInitScript({ path: AXE });
    // Switch off the menu of passkeys (conditional mediation): with it, the authenticator of Chromium without windows
    // would answer immediately.
    await desktop.addInitScript('PublicKeyCredential.isConditionalMediationAvailable = async () => false;');
    const screen = await askToSignIn(stage(), desktop);
    await withAuthenticator(screen);
    await signIn(screen, phone);

    await screen.getByRole('heading', { name: 'Sign in here without your phone next time?' }).waitFor();
    expect(await barriers(screen)).to.deep.equal([]);
    await screen.getByRole('button', { name: 'Create a passkey' }).click();
    await seeCode(screen);
    const page = await stage().open(phone, await readCode(screen));
    await page.getByText('Browser: Chrome').waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    await page.getByRole('button', { name: 'Yes, approve' }).click();

    await screen.getByRole('heading', { name: 'Your phone has approved' }).waitFor();
    expect(await barriers(screen)).to.deep.equal([]);
    await screen.getByRole('button', { name: 'Create it now' }).click();
    expect((await claimsOn(screen)).sub).to.equal('a11ce');

    await desktop.clearCookies({ name: /^_session/ });
    await screen.goto(`${stage().rpUrl}/login`);
    await seeCode(screen);
    const passkey = screen.getByRole('button', { name: 'Use a passkey on this device' });
    const [first, code] = [await passkey.boundingBox(), await screen.locator('[data-code]').boundingBox()];
    expect(first?.y).to.be.below(code?.y ?? 0);
    expect(await barriers(screen)).to.deep.equal([]);
    await passkey.click();
    await screen.getByRole('button', { name: 'Allow' }).click();
    expect((await claimsOn(screen)).amr).to.have.members(['pop', 'user']);

    await page.goto(`${stage().issuer}/qr/devices`);
    expect(await barriers(page)).to.deep.equal([]);
    await page.getByRole('button', { name: /^Remove the passkey of Chrome/ }).click();
    await page.locator('[data-passkey]').waitFor({ state: 'detached' });
  });

  it('is in the menu of the account field if the browser has such a menu', async () => {
    const [desktop, phone] = [await stage().desktop(), await signedInPhone(stage())];
    const screen = await askToSignIn(stage(), desktop);
    await withAuthenticator(screen);
    await signIn(screen, phone);
    await screen.getByRole('button', { name: 'Create a passkey' }).click();
    await seeCode(screen);
    const page = await stage().open(phone, await readCode(screen));
    await page.getByRole('button', { name: 'Yes, approve' }).click();
    await screen.getByRole('button', { name: 'Create it now' }).click();
    await claimsOn(screen);
    await desktop.clearCookies({ name: /^_session/ });
    await desktop.addInitScript(MENU_OF_PASSKEYS);
    await screen.goto(`${stage().rpUrl}/login`);
    await screen.getByRole('button', { name: 'Allow' }).click();
    expect((await claimsOn(screen)).amr).to.include('pop');
    await screen.goto(`${stage().issuer}/account`);
    expect(await screen.evaluate('sessionStorage.mediation')).to.equal('conditional');
  });

  it('can be declined, and is not offered again', async () => {
    const [desktop, phone] = [await stage().desktop(), await signedInPhone(stage())];
    const screen = await askToSignIn(stage(), desktop);
    await withAuthenticator(screen);
    await signIn(screen, phone);
    await screen.getByRole('button', { name: 'Not now' }).click();
    expect((await claimsOn(screen)).sub).to.equal('a11ce');
    await desktop.clearCookies({ name: /^_session/ });
    await screen.goto(`${stage().rpUrl}/login`);
    await signIn(screen, phone);
    expect((await claimsOn(screen)).sub).to.equal('a11ce');
  });

  it('is not offered by a device that cannot store one', async () => {
    const [desktop, phone] = [await stage().desktop(), await signedInPhone(stage())];
    const screen = await askToSignIn(stage(), desktop);
    await signIn(screen, phone);
    expect((await claimsOn(screen)).sub).to.equal('a11ce');
  });

  it('is not created if the user dismisses the dialog, and the user can then continue without it', async () => {
    const [desktop, phone] = [await stage().desktop(), await signedInPhone(stage())];
    const screen = await askToSignIn(stage(), desktop);
    const { device, authenticatorId } = await withAuthenticator(screen);
    await signIn(screen, phone);
    await screen.getByRole('button', { name: 'Create a passkey' }).click();
    await seeCode(screen);
    const page = await stage().open(phone, await readCode(screen));
    await page.getByRole('button', { name: 'Yes, approve' }).click();
    await device.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    await screen.getByRole('button', { name: 'Create it now' }).click();
    await screen.getByRole('alert').filter({ hasText: 'No passkey was created' }).waitFor();
    await screen.getByRole('button', { name: 'Not now' }).click();
    expect((await claimsOn(screen)).sub).to.equal('a11ce');
  });
});
