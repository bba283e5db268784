import { expect } from 'chai';
import type { Page } from 'playwright-core';
import type { PNG } from 'pngjs';
import { sizeOfSuite } from '../support/full-suite.ts';
import { arriveAtConfirm, askToSignIn, codeOn } from './acts.ts';
import { drawFar } from './fake-camera.ts';
import { FOREIGN, LOOKING, turn, waitForStatus } from './scan-acts.ts';
import { useCamera } from './use-camera.ts';
import { useStage } from './use-stage.ts';

const CLOSER = 'Move closer, until the QR code fills the frame.';
/**
 * The text of a foreign code. It is as long as the text of our codes, so that the symbols have the same size in
 * modules.
 */
const FOREIGN_TEXT = `https://evil.example.com/qr/${'a1B-'.repeat(11)}`;

describe('a camera of 1280 × 720 pixels', () => {
  const stage = useStage();
  const { camera, phone, scanUrl, scanPage } = useCamera(stage);

  /** Sets another picture, which the camera films from its next start on. */
  const showCamera = async (page: Page, picture: PNG): Promise<void> => {
    await turn(page, 'hidden');
    camera().see(picture);
    await turn(page, 'visible');
  };

  it('reads codes of 90 to 600 pixels, in the middle and at the edge', async () => {
    camera().seeNothing();
    const page = await scanPage();
    await waitForStatus(page, LOOKING);
    const sides = sizeOfSuite({
      short: [99, 121, 140, 161, 400],
      full: [90, 99, 105, 110, 115, 121, 126, 130, 135, 140, 145, 150, 155, 161, 180, 220, 300, 400, 600],
    });
    for (const side of sides) {
      await showCamera(page, drawFar(FOREIGN_TEXT, side));
      await waitForStatus(page, FOREIGN);
    }
    // This place is outside of the square that the page shows.
    await showCamera(page, drawFar(FOREIGN_TEXT, 240, { x: 150, y: 300 }));
    await waitForStatus(page, FOREIGN);
  });

  it('opens the sign-in of a small code', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    camera().see(drawFar(await codeOn(screen), 105));
    const page = await scanPage();
    await arriveAtConfirm(page);
  });

  it('makes the page advise the user to move closer if it sees no code for a while', async () => {
    camera().seeNothing();
    const context = await phone();
    await context.addInitScript(`{
      const now = performance.now.bind(performance);
      let later = 0;
      performance.now = () => now() + later;
      globalThis.wait = (milliseconds) => { later += milliseconds; };
    }`);
    const page = await stage().open(context, scanUrl());
    await waitForStatus(page, LOOKING);
    await page.evaluate('wait(10_000)');
    await waitForStatus(page, CLOSER);
  });

  it('makes the page give this advice immediately if it sees a code that cannot be read, and continues reading', async () => {
    camera().see(withoutData(drawFar(FOREIGN_TEXT, 330)));
    const context = await phone();
    // The page's clock stands still.
    await context.addInitScript('performance.now = () => 1;');
    const page = await stage().open(context, scanUrl());
    await waitForStatus(page, CLOSER);
    expect(new URL(page.url()).pathname).to.equal('/qr/scan');
    await showCamera(page, drawFar(FOREIGN_TEXT, 330));
    await waitForStatus(page, FOREIGN);
  });
});

/** Paints over the data of a code, but not over its finder patterns. */
function withoutData(frame: PNG): PNG {
  const { width, height, data } = frame;
  const isInMiddle = (x: number, y: number): boolean => Math.abs(x - width / 2) < 70 && Math.abs(y - height / 2) < 70;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const offset = (y * width + x) * 4;
      if (isInMiddle(x, y)) data.fill(((x >> 4) ^ (y >> 4)) & 1 ? 0x1c : 0xdc, offset, offset + 3);
    }
  }
  return frame;
}
