/** Acts as users do on the scan page, and waits for its texts. */
import type { Locator, Page } from 'playwright-core';

export const LOOKING = 'Place the QR code in the frame.';
export const FOREIGN = 'This QR code is not from Example ID.';

export function startButton(page: Page): Locator {
  return page.getByRole('button', { name: 'Start the camera' });
}

export async function waitForStatus(page: Page, text: string): Promise<void> {
  await page.getByRole('status').filter({ hasText: text }).waitFor();
}

export async function choosePhoto(page: Page, buffer: Buffer, mimeType: string = 'image/png'): Promise<void> {
  await page.getByLabel('choose a photo').setInputFiles({ name: 'photo', mimeType, buffer });
}

/**
 * Waits for a condition. Playwright's own function needs `eval` in the page, which the content security policy forbids.
 */
export async function until(page: Page, condition: string): Promise<void> {
  await page.evaluate(`new Promise((resolve) => {
    const check = () => ((${condition}) ? resolve() : requestAnimationFrame(check));
    check();
  })`);
}

/** Waits until the page has read this many more frames. */
export async function seeFrames(page: Page, frames: number): Promise<void> {
  await page.evaluate(`new Promise((resolve) => {
    const { prototype } = CanvasRenderingContext2D;
    const reads = prototype.getImageData;
    let frames = 0;
    prototype.getImageData = function (...where) {
      if (++frames === ${frames}) {
        prototype.getImageData = reads;
        resolve();
      }
      return reads.apply(this, where);
    };
  })`);
}

/** Makes the page hidden or visible, as if the user switched to another app and back. */
export async function turn(page: Page, state: 'hidden' | 'visible'): Promise<void> {
  await page.evaluate(`Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));`);
}
