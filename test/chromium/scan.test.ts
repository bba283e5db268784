import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { PNG } from 'pngjs';
import { UNKNOWN_CODE } from '../support/codes.ts';
import { allOrFirst, inFullSuite } from '../support/full-suite.ts';
import { allow, approve, arriveAtConfirm, askToSignIn, giveName } from './acts.ts';
import { draw, FakeCamera, photograph } from './fake-camera.ts';
import { signedInPhone } from './phones.ts';
import { choosePhoto, FOREIGN, hear, LOOKING, seeFrames, startButton } from './scan-acts.ts';
import type { Stage } from './stage.ts';
import { useCamera } from './use-camera.ts';
import { useStage } from './use-stage.ts';

/** Notes all that is said of the camera from now on. */
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

describe('a code before a camera of Chromium’s own', () => {
  const stage = useStage();
  const { camera, scanPage } = useCamera(stage, () => FakeCamera.open());

  it('scans the code that another browser shows, and approves', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    camera().see(PNG.sync.read(await photograph(screen)));
    const hand = await scanPage();
    await arriveAtConfirm(hand);
    await approve(hand);
    expect((await allow(screen)).sub).to.equal('a11ce');
  });
});

describe('a code before the camera', () => {
  const stage = useStage();
  const { camera, phone, scanUrl, scanPage } = useCamera(stage);

  it('leads nobody to a foreign code, complains of it once, and goes on looking', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const context = await phone();
    // The short suite shows the others as photos, below.
    const foreigners = foreignCodes(stage());
    for (const foreign of allOrFirst(foreigners)) {
      camera().see(PNG.sync.read(await draw(foreign)));
      const page = await stage().open(context, scanUrl());
      await hear(page, FOREIGN);
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

  it('is spoken of, where it is a foreign one, while it is there, and a little longer, but not for ever', async () => {
    camera().see(PNG.sync.read(await draw('https://evil.example/')));
    const page = await scanPage();
    await hear(page, FOREIGN);
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
    await hear(page, LOOKING);
    await page.evaluate('hold(true)');
    await hear(page, FOREIGN);
    expect(await page.evaluate<string[]>('heard.map((text) => text.split(".")[0])')).to.deep.equal(
      [LOOKING, FOREIGN].map((text) => text.replace('.', '')),
    );
  });
});

describe('a phone without a camera that the page may use', () => {
  const stage = useStage();
  const page = async (prepare?: (context: BrowserContext) => Promise<unknown>): Promise<Page> => {
    const context = await signedInPhone(stage());
    await prepare?.(context);
    return stage().open(context, `${stage().issuer}/qr/scan`);
  };

  it('is told that there is none', async () => {
    const hand = await page((context) => context.grantPermissions(['camera']));
    await hear(hand, 'There is no camera here.');
  });

  it('is told so where browsers have none for pages, and offered no button that does nothing', async () => {
    const hand = await page((context) =>
      context.addInitScript(`Object.defineProperty(navigator, 'mediaDevices', { value: undefined })`),
    );
    await hear(hand, 'This browser does not let pages use the camera.');
    expect(await startButton(hand).isVisible()).to.equal(false);
  });

  it('reads the code from a photo', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const hand = await page();
    await choosePhoto(hand, await screen.screenshot({ type: 'jpeg', quality: 60 }), 'image/jpeg');
    await arriveAtConfirm(hand);
    await approve(hand);
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  it('is told what a photo lacks: one of our codes, any code, being a photo', async () => {
    const hand = await page();
    for (const foreign of foreignCodes(stage())) {
      await choosePhoto(hand, await draw(foreign));
      await hear(hand, FOREIGN);
      await choosePhoto(hand, Buffer.from('no photo'));
      await hear(hand, 'This file is not a photo that can be read here.');
    }
    await choosePhoto(hand, PNG.sync.write(new PNG({ width: 300, height: 200 })));
    await hear(hand, 'There is no code to be found in this photo.');
    expect(new URL(hand.url()).pathname).to.equal('/qr/scan');
  });

  inFullSuite(() =>
    it('is told so of a photo, too, where a part of the page does not arrive', async () => {
      stage().expectProblem(/ERR_FAILED/);
      const hand = await page((context) => context.route('**/decoder.js', (route) => route.abort()));
      await choosePhoto(hand, await draw('https://evil.example/'));
      await hear(hand, 'A part of this page is missing.');
    }),
  );

  it('is led to sign in and back to the camera', async () => {
    const hand = await stage().open(await stage().phone(), `${stage().issuer}/qr/scan`);
    await giveName(hand);
    await hand.getByRole('heading', { name: 'Scan to sign in' }).waitFor();
    expect(new URL(hand.url()).pathname).to.equal('/qr/scan');
  });

  it('is told to use its camera app where there is no script', async () => {
    const hand = await stage().open(await stage().phone({ javaScriptEnabled: false }), `${stage().issuer}/qr/scan`);
    await giveName(hand);
    expect(await hand.locator('noscript p').isVisible()).to.equal(true);
    expect(await hand.locator('noscript p').textContent()).to.include('Use the camera app of this phone instead.');
    expect(await hand.getByLabel('choose a photo').isVisible()).to.equal(false);
    expect(await startButton(hand).isVisible()).to.equal(false);
  });

  it('finds the way from the account page, and an app for the home screen that browsers can install', async () => {
    const context = await signedInPhone(stage());
    const hand = await stage().open(context, `${stage().issuer}/account`);
    await hand.getByRole('link', { name: 'Scan a code' }).click();
    await hand.getByRole('heading', { name: 'Scan to sign in' }).waitFor();
    const session = await context.newCDPSession(hand);
    const { errors, data = '', url } = await session.send('Page.getAppManifest');
    expect(errors).to.deep.equal([]);
    expect(url).to.equal(`${stage().issuer}/qr/manifest.webmanifest`);
    expect(JSON.parse(data).start_url).to.equal('/qr/scan');
    const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
    // Tests run in private windows.
    expect(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito')).to.deep.equal([]);
  });
});
