/** What people do on the page with the camera, and what it says. */
import type { Locator, Page } from 'playwright-core';

export const LOOKING = 'Hold the code into the frame.';
export const FOREIGN = 'This is not a code of Example ID.';

export function startButton(page: Page): Locator {
  return page.getByRole('button', { name: 'Start the camera' });
}

export async function hear(page: Page, text: string): Promise<void> {
  await page.getByRole('status').filter({ hasText: text }).waitFor();
}

export async function choosePhoto(page: Page, buffer: Buffer, mimeType: string = 'image/png'): Promise<void> {
  await page.getByLabel('choose a photo').setInputFiles({ name: 'photo', mimeType, buffer });
}

/** Waits without `eval`, which the policy forbids to what Playwright would do. */
export async function until(page: Page, condition: string): Promise<void> {
  await page.evaluate(`new Promise((resolve) => {
    const check = () => ((${condition}) ? resolve() : requestAnimationFrame(check));
    check();
  })`);
}

/** Waits until the page has looked at so many more frames. */
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

/** The person turns to another page, or comes back. */
export async function turn(page: Page, state: 'hidden' | 'visible'): Promise<void> {
  await page.evaluate(`Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));`);
}
