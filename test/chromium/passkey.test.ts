import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { TestClock } from '../support/clock.ts';
import { inFullSuite } from '../support/full-suite.ts';
import { allow, askToSignIn, errorOn, pressYes, seeCode, seeScreen } from './acts.ts';
import { scan, signInOn } from './phones.ts';
import { useStage } from './use-stage.ts';
import { deviceWithPasskey, withAuthenticator } from './virtual-passkey.ts';

describe('passkeys in a real browser', () => {
  const stage = useStage({}, { passkeys: true });

  it('are required to approve if the account has one, and amr shows that one was used', async () => {
    const { page: phone } = await deviceWithPasskey(stage());
    const screen = await askToSignIn(stage(), await stage().desktop());
    await scan(stage(), screen, phone);
    await phone.getByText('Your phone will ask for your passkey').waitFor();

    await pressYes(phone);
    const claims = await allow(screen);
    expect(claims.sub).to.equal('a11ce');
    expect(claims.amr).to.have.members(['pwd', 'pop', 'mca', 'user']);
  });

  it('do not approve without user verification, and the page says so', async () => {
    const { page: phone, device, authenticatorId } = await deviceWithPasskey(stage());
    const screen = await askToSignIn(stage(), await stage().desktop());
    await scan(stage(), screen, phone);

    await device.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    await pressYes(phone);
    await phone.getByRole('alert').filter({ hasText: 'Your passkey was not used' }).waitFor();
    expect(await screen.locator('main').getAttribute('data-screen')).to.equal('scanned');

    await device.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
    await pressYes(phone);
    expect((await allow(screen)).amr).to.include('pop');
  });

  it('approve although the window that asks for them takes the focus and returns it', async () => {
    const { page: phone } = await deviceWithPasskey(stage());
    const screen = await askToSignIn(stage(), await stage().desktop());
    await scan(stage(), screen, phone);
    await phone.evaluate(
      `const get = navigator.credentials.get.bind(navigator.credentials);
       navigator.credentials.get = async (options) => {
         const credential = await get(options);
         dispatchEvent(new Event('focus'));
         return credential;
       };`,
    );
    await pressYes(phone);
    expect((await allow(screen)).amr).to.include('pop');
  });

  it('are not required to decline', async () => {
    const { page: phone } = await deviceWithPasskey(stage());
    const screen = await askToSignIn(stage(), await stage().desktop());
    await scan(stage(), screen, phone);
    await phone.getByRole('button', { name: 'I did not start this' }).click();
    await phone.getByRole('heading', { name: 'Declined and reported' }).waitFor();
    expect(await errorOn(screen)).to.equal('access_denied');
  });

  it('sign in on the QR page, without a phone', async () => {
    const { page: laptop } = await deviceWithPasskey(stage());
    await forgetSession(laptop);
    await laptop.goto(`${stage().rpUrl}/login`);
    await seeCode(laptop);

    await laptop.getByRole('button', { name: 'Use a passkey on this device' }).click();

    const claims = await allow(laptop);
    expect(claims).to.include({ sub: 'a11ce', acr: 'urn:example:acr:passkey' });
    expect(claims.amr).to.have.members(['pop', 'user']);
    expect(claims.auth_time).to.equal(Math.floor(stage().clock.now() / 1000));
  });

  it('are not offered by a browser without WebAuthn', async () => {
    const desktop = await stage().desktop();
    await desktop.addInitScript('delete window.PublicKeyCredential');
    const screen = await askToSignIn(stage(), desktop);
    await screen.locator('form[data-passkey]').waitFor({ state: 'hidden' });
    const group = screen.getByRole('navigation', { name: 'Other ways to sign in' });
    expect(await group.getByRole('link').allTextContents()).to.deep.equal(['Sign in with a password']);
    await screen.evaluate(`document.querySelector('.other a').remove()`);
    expect(await group.isVisible()).to.equal(false);
  });

  describe('in a browser that cannot convert them to and from JSON', () => {
    /** Returns a device with a passkey. From the next page on, its browser lacks the functions of WebAuthn Level 3. */
    const olderDevice = async (): Promise<Page> => {
      const { page } = await deviceWithPasskey(stage());
      await page.context().addInitScript(`{
        delete PublicKeyCredential.parseRequestOptionsFromJSON;
        delete PublicKeyCredential.prototype.toJSON;
      }`);
      return page;
    };

    it('sign in on the QR page', async () => {
      const laptop = await olderDevice();
      await forgetSession(laptop);
      await laptop.goto(`${stage().rpUrl}/login`);
      await seeCode(laptop);
      await laptop.getByRole('button', { name: 'Use a passkey on this device' }).click();
      expect(await allow(laptop)).to.include({ sub: 'a11ce', acr: 'urn:example:acr:passkey' });
    });

    it('approve', async () => {
      const phone = await olderDevice();
      const screen = await askToSignIn(stage(), await stage().desktop());
      await scan(stage(), screen, phone);
      await pressYes(phone);
      expect((await allow(screen)).amr).to.include('pop');
    });
  });

  it('leave the code on the page if the device has no passkey', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    await withAuthenticator(screen);
    await screen.getByRole('button', { name: 'Use a passkey on this device' }).click();
    await screen.getByRole('alert').filter({ hasText: 'That did not work' }).waitFor();
    await seeScreen(screen, 'waiting');
  });
});

describe('passkeys in a real browser with another account', () => {
  // oidc-provider compares the time of the sign-in with its own clock, because of prompt=login.
  const stage = useStage({ clock: new TestClock().now }, { passkeys: true });

  inFullSuite(() =>
    it('replace the account that is signed in, after the page has named it', async () => {
      const { page: laptop } = await deviceWithPasskey(stage());
      await forgetSession(laptop);
      await signInOn(stage(), laptop.context(), 'bob');
      const sent = await laptop.context().request.get(`${stage().rpUrl}/login`, { maxRedirects: 0 });
      await laptop.goto(`${sent.headers().location}&prompt=login`);
      await seeCode(laptop);
      await laptop.getByText('A passkey of another account signs that account out').waitFor();

      await laptop.getByRole('button', { name: 'Use a passkey on this device' }).click();
      expect((await allow(laptop)).sub).to.equal('a11ce');
    }),
  );
});

function forgetSession(page: Page): Promise<void> {
  return page.context().clearCookies({ name: /^_session/ });
}
