import { expect } from 'chai';
import { claimsOn, codeOn } from '../../chromium/acts.ts';
import { draw, photograph } from '../../chromium/fake-camera.ts';
import { deviceWithPasskey } from '../../chromium/virtual-passkey.ts';
import { newScreen, openCode, press, REQUEST, see } from './acts.ts';
import { readRecords, writeTokens } from './records.ts';
import { useApp } from './use-app.ts';

describe('the app, in less common cases', () => {
  const app = useApp({ shortCode: true });
  const { stage, url, phone, openSignedIn } = app;

  it('reports a sign-in that the user did not start, even after the approval', async () => {
    const screen = await newScreen(app);
    const page = await openSignedIn(await phone(), 'bob', 'builder');
    await openCode(app, page, screen);
    await press(page, 'Yes, sign in');
    await see(page, 'Signed in');
    await press(page, 'I did not start this');
    await see(page, 'Declined and reported');
    await page.getByText('That browser is signed out again').waitFor();
  });

  it('shows that the browser has cancelled', async () => {
    const screen = await newScreen(app);
    const page = await openSignedIn(await phone());
    await openCode(app, page, screen);
    await screen.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('This sign-in was cancelled on the device that showed the QR code.').waitFor();
  });

  it('accepts a link that another app shares with it', async () => {
    const screen = await newScreen(app);
    const page = await openSignedIn(await phone());
    await page.goto(`${url()}/?${new URLSearchParams({ text: `Look: ${await codeOn(screen)}` })}`);
    await press(page, 'Continue');
    await see(page, REQUEST);
  });

  it('accepts the short code in upper or lower case, and says if no device shows it', async () => {
    const screen = await newScreen(app);
    const page = await openSignedIn(await phone());
    await page.getByText('Type the backup code instead').click();
    await page.getByLabel('Backup code').fill('XXXX-XXXX');
    await press(page, 'Continue');
    await page.getByText('No device shows this backup code now.').waitFor();
    const shown = await screen.locator('[data-short-code]').textContent();
    await page.getByLabel('Backup code').fill(`${shown}`.toLowerCase().replace('-', ' '));
    await press(page, 'Continue');
    await see(page, REQUEST);
  });

  it('refuses the link of another provider, and never leads to another site', async () => {
    const screen = await newScreen(app);
    const page = await openSignedIn(await phone());
    const code = new URL(await codeOn(screen)).pathname;
    await page.goto(`${url()}${code}?iss=https://evil.example`);
    await page.getByText('This QR code is not from Example ID.').waitFor();
    await page.goto(`${url()}${code}?return=${encodeURIComponent(`${stage().issuer}/interaction/../evil`)}`);
    await press(page, 'Continue');
    await press(page, 'No, decline');
    await see(page, 'Declined');
    expect(page.url()).to.match(/\/tickets\/[\w-]+$/);
  });

  it('refuses the code of another site in a photo, and reads one of this provider', async () => {
    const screen = await newScreen(app);
    const page = await openSignedIn(await phone());
    const choose = async (buffer: Buffer): Promise<void> =>
      page.getByLabel('choose a photo').setInputFiles({ name: 'photo', mimeType: 'image/png', buffer });
    await choose(await draw('https://evil.example/qr/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'));
    await page.getByText('This QR code is not from Example ID.').waitFor();
    await choose(await photograph(screen));
    await see(page, REQUEST);
  });

  it('continues with the same ticket after a reload', async () => {
    const screen = await newScreen(app);
    const page = await openSignedIn(await phone());
    await openCode(app, page, screen);
    await page.reload();
    await see(page, REQUEST);
    await press(page, 'Yes, sign in');
    await see(page, 'Signed in');
  });

  it('renews its access token with the refresh token', async () => {
    const page = await openSignedIn(await phone());
    const before = await readRecords(page);
    await writeTokens(page, { expiresAt: 0 });
    await page.goto(`${url()}/browsers`);
    await see(page, 'Where you are signed in');
    const after = await readRecords(page);
    expect(after.tokens?.accessToken).to.not.equal(before.tokens?.accessToken);
    expect(after.jwk).to.deep.equal(before.jwk);
  });

  it('says that there is no connection, and continues when the connection is back', async () => {
    stage().expectProblem(/ERR_/);
    const device = await phone();
    const page = await openSignedIn(device);
    await device.route(`${stage().issuer}/**`, (route) => route.abort());
    await page.getByRole('link', { name: 'Browsers' }).click();
    await see(page, 'No connection');
    await device.unroute(`${stage().issuer}/**`);
    await press(page, 'Try again');
    await see(page, 'Where you are signed in');
  });
});

describe('the app of an account with a passkey', () => {
  const app = useApp({}, { passkeys: true });

  it('approves with the passkey, for which the app asks', async () => {
    const screen = await newScreen(app);
    const { page, device } = await deviceWithPasskey(app.stage(), await app.phone());
    await app.stage().expectProblem(/status of 401/);
    await page.goto(app.url());
    // The password page offers the passkey in the menu of its field, and this device uses it immediately.
    await press(page, 'Sign in with Example ID');
    await press(page, 'Allow');
    await see(page, 'Scan to sign in');
    await openCode(app, page, screen);
    await page.getByText('Your phone will ask for your passkey.').waitFor();
    const asserted = new Promise((resolve) => device.once('WebAuthn.credentialAsserted', resolve));
    await press(page, 'Yes, sign in');
    await asserted;
    await see(page, 'Signed in');
    expect((await claimsOn(screen)).amr).to.include('pop');
  });
});
