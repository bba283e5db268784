import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { PNG } from 'pngjs';
import { UNKNOWN_CODE } from '../support/codes.ts';
import { allOrFirst, inFullSuite } from '../support/full-suite.ts';
import { allow, approve, arriveAtConfirm, askToSignIn, fillInPasswordPage } from './acts.ts';
import { draw, FakeCamera, photograph } from './fake-camera.ts';
import { signedInPhone } from './phones.ts';
import { choosePhoto, FOREIGN, LOOKING, seeFrames, startButton, waitForStatus } from './scan-acts.ts';
import type { Stage } from './stage.ts';
import { useCamera } from './use-camera.ts';
import { useStage } from './use-stage.ts';

/** Records each message about the camera from now on. */
const LISTEN = `{
  globalThis.heard = [];
  const status = document.querySelector('[data-camera] [role=status]');
  new MutationObserver(() => heard.push(status.textContent)).observe(status, { childList: true });
}`;

function foreignCodes({ issuer }: Stage): string[] {
  return [
    'https://evil.example/qr/code',
    `${issuer}/qr/${UNKNOWN_CODE}/x`,
    `${issuer}.evil.example/qr/${UNKNOWN_CODE}`,
    'javascript:alert(1)',
  ];
}

describe('a code in front of Chromium’s own fake camera', () => {
  const stage = useStage();
  const { camera, scanPage } = useCamera(stage, () => FakeCamera.open());

  it('is scanned from another browser, and approved', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    camera().see(PNG.sync.read(await photograph(screen)));
    const phonePage = await scanPage();
    await arriveAtConfirm(phonePage);
    await approve(phonePage);
    expect((await allow(screen)).sub).to.equal('a11ce');
  });
});

describe('a code in front of the camera', () => {
  const stage = useStage();
  const { camera, phone, scanUrl, scanPage } = useCamera(stage);

  it('is not opened if it belongs to another site: the page says so once, and continues to scan', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const context = await phone();
    // The short suite tests the other codes as photos, below.
    const foreigners = foreignCodes(stage());
    for (const foreign of allOrFirst(foreigners)) {
      camera().see(PNG.sync.read(await draw(foreign)));
      const page = await stage().open(context, scanUrl());
      await waitForStatus(page, FOREIGN);
      await page.evaluate(LISTEN);
      await seeFrames(page, 3);
      expect(await page.evaluate('heard')).to.deep.equal([]);
      expect(new URL(page.url()).pathname).to.equal('/qr/scan');
      expect(await page.locator('main').textContent()).not.to.include('evil');
      await page.close();
    }
    camera().see(PNG.sync.read(await photograph(screen)));
    await arriveAtConfirm(await stage().open(context, scanUrl()));
  });

  it('is reported as foreign while the camera sees it and for a short time afterwards', async () => {
    camera().see(PNG.sync.read(await draw('https://evil.example/')));
    const page = await scanPage();
    await waitForStatus(page, FOREIGN);
    await page.evaluate(LISTEN);
    await page.evaluate(`{
      const now = performance.now.bind(performance);
      let later = 0;
      performance.now = () => now() + later;
      globalThis.wait = (milliseconds) => { later += milliseconds; };
      globalThis.hold = (code) => { document.querySelector('video').srcObject.getTracks()[0].enabled = code; };
    }`);
    await page.evaluate('wait(60_000)');
    await seeFrames(page, 3);
    expect(await page.evaluate('heard')).to.deep.equal([]);
    await page.evaluate('hold(false)');
    await seeFrames(page, 3);
    await page.evaluate('wait(60_000)');
    await waitForStatus(page, LOOKING);
    await page.evaluate('hold(true)');
    await waitForStatus(page, FOREIGN);
    expect(await page.evaluate<string[]>('heard.map((text) => text.split(".")[0])')).to.deep.equal(
      [LOOKING, FOREIGN].map((text) => text.replace('.', '')),
    );
  });
});

describe('a phone without a camera for the page', () => {
  const stage = useStage();
  const page = async (prepare?: (context: BrowserContext) => Promise<unknown>): Promise<Page> => {
    const context = await signedInPhone(stage());
    await prepare?.(context);
    return stage().open(context, `${stage().issuer}/qr/scan`);
  };

  it('shows that the device has no camera', async () => {
    const phonePage = await page((context) => context.grantPermissions(['camera']));
    await waitForStatus(phonePage, 'There is no camera here.');
  });

  it('says that the browser does not support a camera, and offers no button to start one', async () => {
    const phonePage = await page((context) =>
      context.addInitScript(`Object.defineProperty(navigator, 'mediaDevices', { value: undefined })`),
    );
    await waitForStatus(phonePage, 'This browser does not let pages use the camera.');
    expect(await startButton(phonePage).isVisible()).to.equal(false);
  });

  it('reads the code from a photo', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const phonePage = await page();
    await choosePhoto(phonePage, await screen.screenshot({ type: 'jpeg', quality: 60 }), 'image/jpeg');
    await arriveAtConfirm(phonePage);
    await approve(phonePage);
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  it('says that a photo has a foreign code, has no code, or is not a photo', async () => {
    const phonePage = await page();
    for (const foreign of foreignCodes(stage())) {
      await choosePhoto(phonePage, await draw(foreign));
      await waitForStatus(phonePage, FOREIGN);
      await choosePhoto(phonePage, Buffer.from('no photo'));
      await waitForStatus(phonePage, 'This file cannot be read as a photo.');
    }
    await choosePhoto(phonePage, PNG.sync.write(new PNG({ width: 300, height: 200 })));
    await waitForStatus(phonePage, 'No QR code was found in this photo.');
    expect(new URL(phonePage.url()).pathname).to.equal('/qr/scan');
  });

  inFullSuite(() =>
    it('says that a script did not load, even for a photo', async () => {
      stage().expectProblem(/ERR_FAILED/);
      const phonePage = await page((context) => context.route('**/decoder.js', (route) => route.abort()));
      await choosePhoto(phonePage, await draw('https://evil.example/'));
      await waitForStatus(phonePage, 'Part of this page did not load.');
    }),
  );

  it('signs in and returns to the scan page', async () => {
    const phonePage = await stage().open(await stage().phone(), `${stage().issuer}/qr/scan`);
    await fillInPasswordPage(phonePage);
    await phonePage.getByRole('heading', { name: 'Scan to sign in' }).waitFor();
    expect(new URL(phonePage.url()).pathname).to.equal('/qr/scan');
  });

  it('asks the user to open the camera app if JavaScript is off', async () => {
    const phonePage = await stage().open(
      await stage().phone({ javaScriptEnabled: false }),
      `${stage().issuer}/qr/scan`,
    );
    await fillInPasswordPage(phonePage);
    expect(await phonePage.locator('noscript p').isVisible()).to.equal(true);
    expect(await phonePage.locator('noscript p').textContent()).to.include('Use the camera app of this phone instead.');
    expect(await phonePage.getByLabel('choose a photo').isVisible()).to.equal(false);
    expect(await startButton(phonePage).isVisible()).to.equal(false);
  });

  it('reaches the scan page from the account page, and can install it as an app', async () => {
    const context = await signedInPhone(stage());
    const phonePage = await stage().open(context, `${stage().issuer}/account`);
    await phonePage.getByRole('link', { name: 'Scan a QR code' }).click();
    await phonePage.getByRole('heading', { name: 'Scan to sign in' }).waitFor();
    const session = await context.newCDPSession(phonePage);
    const { errors, data = '', url } = await session.send('Page.getAppManifest');
    expect(errors).to.deep.equal([]);
    expect(url).to.equal(`${stage().issuer}/qr/manifest.webmanifest`);
    expect(JSON.parse(data).start_url).to.equal('/qr/scan');
    const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
    // Tests run in private windows, where no app can be installed.
    expect(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito')).to.deep.equal([]);
  });
});
