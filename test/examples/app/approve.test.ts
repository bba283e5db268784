import { expect } from 'chai';
import type { BrowserContext } from 'playwright-core';
import { PNG } from 'pngjs';
import {
  askToSignIn,
  checkCodeOn,
  claimsOn,
  codeOn,
  fillInPasswordPage,
  seeCode,
  seeScreen,
} from '../../chromium/acts.ts';
import { photograph } from '../../chromium/fake-camera.ts';
import { useCamera } from '../../chromium/use-camera.ts';
import { newScreen, openCode, press, REQUEST, see } from './acts.ts';
import { readRecords } from './records.ts';
import { signIn, useApp } from './use-app.ts';

describe('the app in front of a browser that shows a code', () => {
  const app = useApp();
  const { stage, url, phone, open, openSignedIn } = app;
  const { camera } = useCamera(stage);

  /** Opens a phone whose camera the app may use. */
  const phoneWithCamera = async (): Promise<BrowserContext> => {
    const context = await stage().phone({ serviceWorkers: 'block' }, camera().browser);
    await camera().fitInto(context);
    await context.grantPermissions(['camera'], { origin: url() });
    return context;
  };

  it('scans the code, shows the request, approves, and so signs the browser in', async () => {
    const screen = await newScreen(app);
    camera().see(PNG.sync.read(await photograph(screen)));
    const page = await openSignedIn(await phoneWithCamera());

    await see(page, REQUEST);
    await seeScreen(screen, 'scanned');
    const facts = await page.locator('dl').textContent();
    expect(facts)
      .to.include('Alice Liddell')
      .and.include(new URL(stage().rpUrl).host)
      .and.match(/Chrome on \w+/);
    await press(page, 'Yes, sign in');
    const claims = await claimsOn(screen);
    expect(claims).to.include({ sub: 'a11ce' });
    expect(claims.amr).to.include.members(['pwd', 'mca']);
    await see(page, 'Signed in');
    await press(page, 'Scan another QR code');
    await see(page, 'Scan to sign in');
  });

  it('can decline the sign-in, and both sides say so', async () => {
    const screen = await newScreen(app);
    const page = await openSignedIn(await phone());
    await openCode(app, page, screen);
    await press(page, 'No, decline');
    await see(page, 'Declined');
    await seeScreen(screen, 'denied');
  });

  it('claims no ticket for an opened link before the user continues, and signs in first if necessary', async () => {
    const screen = await newScreen(app);
    const code = new URL(await codeOn(screen)).pathname;
    const page = await open(await phone(), code);
    await page.getByText('Sign in first. Then you continue with the QR code that you opened.').waitFor();
    await signIn(page);
    await see(page, 'Sign in on another device');
    expect(await screen.locator('[data-screen]').getAttribute('data-screen')).to.equal('waiting');
    await press(page, 'Not now');
    await see(page, 'Scan to sign in');
    await openCode(app, page, screen);
    await seeScreen(screen, 'scanned');
  });

  it('signs in again if the request demands it, and continues with the same ticket', async () => {
    const desktop = await stage().desktop();
    const started = await desktop.request.get(`${stage().rpUrl}/login`, { maxRedirects: 0 });
    const screen = await stage().open(desktop, `${started.headers().location}&prompt=login`);
    await seeCode(screen);
    const page = await openSignedIn(await phone());
    await openCode(app, page, screen);
    await page.getByText('This app requires you to sign in again before you approve.').waitFor();
    expect(await page.getByRole('button', { name: 'Yes, sign in' }).count()).to.equal(0);
    await press(page, 'Sign in again');
    await fillInPasswordPage(page);
    await press(page, 'Allow');
    await see(page, REQUEST);
    await press(page, 'Yes, sign in');
    await see(page, 'Signed in');
    await claimsOn(screen);
  });

  it('asks the user to sign in again after its grant was revoked, and the ticket stays with the old grant', async () => {
    const screen = await newScreen(app);
    const page = await openSignedIn(await phone());
    await openCode(app, page, screen);
    const { tokens } = await readRecords(page);
    await fetch(`${stage().issuer}/token/revocation`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: 'app', token: tokens?.refreshToken ?? '' }),
    });
    await press(page, 'No, decline');
    await page.getByText('This app is no longer signed in. Sign in again to continue.').waitFor();
    expect((await readRecords(page)).tokens).to.equal(undefined);
    await signIn(page);
    await page.getByText('Your account has scanned this QR code already').waitFor();
  });

  it('lists the browsers that it has signed in, and can sign one out', async () => {
    const screen = await newScreen(app);
    const page = await openSignedIn(await phone());
    await page.getByRole('link', { name: 'Browsers' }).click();
    await page.getByText('No other browser is signed in right now.').waitFor();
    await openCode(app, page, screen);
    await press(page, 'Yes, sign in');
    await claimsOn(screen);
    await see(page, 'Signed in');
    await page.getByRole('link', { name: 'Browsers' }).click();
    expect(await page.getByRole('article').textContent()).to.include('Demo app');
    await page.getByRole('button', { name: /^Sign out: / }).click();
    await page.getByText('That browser is signed out.').waitFor();
    expect(await page.getByRole('article').count()).to.equal(0);
    const again = await askToSignIn(stage(), screen.context());
    expect(await codeOn(again)).to.include('/qr/');
  });
});

describe('the app, if a sign-in needs the check code,', () => {
  const app = useApp({ assess: () => 'check code' });
  const { stage, url, phone, openSignedIn } = app;

  it('shows the digits that the browser asks for, and then that the browser is signed in', async () => {
    const screen = await newScreen(app);
    const page = await openSignedIn(await phone());
    await openCode(app, page, screen);
    await press(page, 'Yes, sign in');
    await see(page, 'Type this number on the other device');
    const digits = await checkCodeOn(page);
    expect(digits).to.match(/^\d{6}$/);
    await screen.locator('#check-code').fill(digits);
    await see(page, 'Signed in');
    await claimsOn(screen);
  });

  it('leads back, with the digits, to the page on the same device that has opened the app', async () => {
    const device = await phone();
    const page = await openSignedIn(device);
    // Remove the browser's session at the provider, which would sign it in without a code.
    await device.clearCookies();
    const screen = await askToSignIn(stage(), device);
    const code = new URL(await codeOn(screen)).pathname;
    const query = new URLSearchParams({ iss: stage().issuer, return: screen.url() });
    await screen.close();
    await page.goto(`${url()}${code}?${query}`);
    await press(page, 'Continue');
    await press(page, 'Yes, sign in');
    await seeScreen(page, 'check-code');
    expect(await page.locator('#check-code').inputValue()).to.match(/^\d{3} \d{3}$/);
    await press(page, 'Continue');
    await claimsOn(page);
  });
});
