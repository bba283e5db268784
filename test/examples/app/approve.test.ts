import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { PNG } from 'pngjs';
import type { Verdict } from '../../../src/index.ts';
import { allow, askToSignIn, checkCodeOn, codeOn, giveName, seeCode, seeScreen } from '../../chromium/acts.ts';
import { draw, photograph } from '../../chromium/fake-camera.ts';
import { useCamera } from '../../chromium/use-camera.ts';
import { readRecords, writeTokens } from './records.ts';
import { signIn, useApp } from './use-app.ts';

const REQUEST = 'Sign in to Demo app?';

describe('the app, and the browser that shows a code', () => {
  let verdict: Verdict = 'allow';
  const { stage, url, phone, open, signedIn } = useApp({ assess: () => verdict, shortCode: true });
  const { camera } = useCamera(stage);

  beforeEach(() => {
    verdict = 'allow';
  });

  /** Opens a phone whose camera the app may use. */
  const phoneWithCamera = async (): Promise<BrowserContext> => {
    const context = await stage().phone({ serviceWorkers: 'block' }, camera().browser);
    await camera().fitInto(context);
    await context.grantPermissions(['camera'], { origin: url() });
    return context;
  };
  const see = (page: Page, heading: string): Promise<void> => page.getByRole('heading', { name: heading }).waitFor();
  const press = (page: Page, button: string): Promise<void> => page.getByRole('button', { name: button }).click();
  /** Opens the code on the screen as a link in the app, and goes on. */
  const openCode = async (page: Page, screen: Page): Promise<void> => {
    await page.goto(`${url()}${new URL(await codeOn(screen)).pathname}`);
    await press(page, 'Go on');
    await see(page, REQUEST);
  };
  const newScreen = async (): Promise<Page> => askToSignIn(stage(), await stage().desktop());

  it('signs the browser in: the app scans the code, shows what is asked, and approves', async () => {
    const screen = await newScreen();
    camera().see(PNG.sync.read(await photograph(screen)));
    const page = await signedIn(await phoneWithCamera());

    await see(page, REQUEST);
    await seeScreen(screen, 'scanned');
    const facts = await page.locator('dl').innerText();
    expect(facts)
      .to.include('Alice Liddell')
      .and.include(new URL(stage().rpUrl).host)
      .and.match(/Chrome on \w+/);
    await press(page, 'Yes, sign in');
    const claims = await allow(screen);
    expect(claims).to.include({ sub: 'a11ce' });
    expect(claims.amr).to.include.members(['pwd', 'mca']);
    await see(page, 'Signed in');
    await press(page, 'Scan another code');
    await see(page, 'Scan to sign in');
  });

  it('shows the digits that the browser asks for, and follows until it is signed in', async () => {
    verdict = 'check code';
    const screen = await newScreen();
    const page = await signedIn(await phone());
    await openCode(page, screen);
    await press(page, 'Yes, sign in');
    await see(page, 'Type this number on the other device');
    const digits = await checkCodeOn(page);
    expect(digits).to.match(/^\d{6}$/);
    await screen.locator('#check-code').fill(digits);
    await see(page, 'Signed in');
    await allow(screen);
  });

  it('stops the sign-in, and both sides say so', async () => {
    const screen = await newScreen();
    const page = await signedIn(await phone());
    await openCode(page, screen);
    await press(page, 'No, stop this');
    await see(page, 'Stopped');
    await seeScreen(screen, 'denied');
  });

  it('reports what the user did not start, also after the approval', async () => {
    const screen = await newScreen();
    const page = await signedIn(await phone(), 'bob', 'builder');
    await openCode(page, screen);
    await press(page, 'Yes, sign in');
    await see(page, 'Signed in');
    await press(page, 'I did not start this');
    await see(page, 'Stopped and reported');
    await page.getByText('That browser is signed out again.').waitFor();
  });

  it('shows that the browser has cancelled', async () => {
    const screen = await newScreen();
    const page = await signedIn(await phone());
    await openCode(page, screen);
    await screen.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('This sign-in was cancelled on the device that showed the code.').waitFor();
  });

  it('claims nothing when a link is opened before the user goes on, and signs in first if need be', async () => {
    const screen = await newScreen();
    const code = new URL(await codeOn(screen)).pathname;
    const page = await open(await phone(), code);
    await page.getByText('Sign in first. Then you go on with the code that you opened.').waitFor();
    await signIn(page);
    await see(page, 'Sign in on another device');
    expect(await screen.locator('[data-screen]').getAttribute('data-screen')).to.equal('waiting');
    await press(page, 'Not now');
    await see(page, 'Scan to sign in');
    await openCode(page, screen);
    await seeScreen(screen, 'scanned');
  });

  it('takes a link that another app shares with it', async () => {
    const screen = await newScreen();
    const page = await signedIn(await phone());
    await page.goto(`${url()}/?${new URLSearchParams({ text: `Look: ${await codeOn(screen)}` })}`);
    await press(page, 'Go on');
    await see(page, REQUEST);
  });

  it('takes the short code, in any letters, and says so if there is none like it', async () => {
    const screen = await newScreen();
    const page = await signedIn(await phone());
    await page.getByText('Type the short code instead').click();
    await page.getByLabel('Short code').fill('XXXX-XXXX');
    await press(page, 'Go on');
    await page.getByText('No device shows this code now.').waitFor();
    const shown = await screen.locator('[data-short-code]').innerText();
    await page.getByLabel('Short code').fill(shown.toLowerCase().replace('-', ' '));
    await press(page, 'Go on');
    await see(page, REQUEST);
  });

  it('refuses the code of another site in a photo, and reads one of this provider', async () => {
    const screen = await newScreen();
    const page = await signedIn(await phone());
    const choose = async (buffer: Buffer): Promise<void> =>
      page.getByLabel('choose a photo').setInputFiles({ name: 'photo', mimeType: 'image/png', buffer });
    await choose(await draw('https://evil.example/qr/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'));
    await page.getByText('This code is not from Example ID.').waitFor();
    await choose(await photograph(screen));
    await see(page, REQUEST);
  });

  it('goes on with the same ticket after a reload', async () => {
    const screen = await newScreen();
    const page = await signedIn(await phone());
    await openCode(page, screen);
    await page.reload();
    await see(page, REQUEST);
    await press(page, 'Yes, sign in');
    await see(page, 'Signed in');
  });

  it('signs in again where the request demands it, and goes on with the same ticket', async () => {
    const desktop = await stage().desktop();
    const started = await desktop.request.get(`${stage().rpUrl}/login`, { maxRedirects: 0 });
    const screen = await stage().open(desktop, `${started.headers().location}&prompt=login`);
    await seeCode(screen);
    const page = await signedIn(await phone());
    await openCode(page, screen);
    await page.getByText('This app requires you to sign in again before you approve.').waitFor();
    expect(await page.getByRole('button', { name: 'Yes, sign in' }).count()).to.equal(0);
    await press(page, 'Sign in again');
    await giveName(page);
    await press(page, 'Allow');
    await see(page, REQUEST);
    await press(page, 'Yes, sign in');
    await see(page, 'Signed in');
    await allow(screen);
  });

  it('asks the user to sign in again once its grant is revoked, and the ticket stays with the old grant', async () => {
    const screen = await newScreen();
    const page = await signedIn(await phone());
    await openCode(page, screen);
    const { tokens } = await readRecords(page);
    await fetch(`${stage().issuer}/token/revocation`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: 'app', token: tokens?.refreshToken ?? '' }),
    });
    await press(page, 'No, stop this');
    await page.getByText('This app is no longer signed in. Sign in again to go on.').waitFor();
    expect((await readRecords(page)).tokens).to.equal(undefined);
    await signIn(page);
    await page.getByText('Your account has scanned this code already').waitFor();
  });

  it('renews its access token by the refresh token', async () => {
    const page = await signedIn(await phone());
    const before = await readRecords(page);
    await writeTokens(page, { expiresAt: 0 });
    await page.goto(`${url()}/browsers`);
    await see(page, 'Where you are signed in');
    const after = await readRecords(page);
    expect(after.tokens?.accessToken).to.not.equal(before.tokens?.accessToken);
    expect(after.jwk).to.deep.equal(before.jwk);
  });

  it('lists the browsers that it has signed in, and signs one out', async () => {
    const screen = await newScreen();
    const page = await signedIn(await phone());
    await page.getByRole('link', { name: 'Devices' }).click();
    await page.getByText('No browser is signed in with a QR code right now.').waitFor();
    await openCode(page, screen);
    await press(page, 'Yes, sign in');
    await allow(screen);
    await see(page, 'Signed in');
    await page.getByRole('link', { name: 'Devices' }).click();
    expect(await page.getByRole('article').innerText()).to.include('Demo app');
    await page.getByRole('button', { name: /^Sign out: / }).click();
    await page.getByText('That browser is signed out.').waitFor();
    expect(await page.getByRole('article').count()).to.equal(0);
    const again = await askToSignIn(stage(), screen.context());
    expect(await codeOn(again)).to.include('/qr/');
  });

  it('says that there is no connection, and goes on when there is one', async () => {
    stage().expectProblem(/ERR_/);
    const device = await phone();
    const page = await signedIn(device);
    await device.route(`${stage().issuer}/**`, (route) => route.abort());
    await page.getByRole('link', { name: 'Devices' }).click();
    await see(page, 'No connection');
    await device.unroute(`${stage().issuer}/**`);
    await press(page, 'Try again');
    await see(page, 'Where you are signed in');
  });
});
