/**
 * Takes pictures of every screen of the app, light and dark, on a phone and on a desktop: `node --import
 * ./scripts/typescript.mjs test/examples/app/pictures.ts <folder>`.
 */
import { mkdirSync } from 'node:fs';
import { closeChromium, openChromium } from '../../chromium/chromium.ts';
import { openPreview, pathOf, screensIn } from './preview.ts';

const [folder = 'pictures', language = 'en'] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const preview = await openPreview();
try {
  for (const width of [360, 1366]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const viewport = { width, height: width === 360 ? 740 : 768 };
      const context = await (await openChromium()).newContext({ viewport, colorScheme, reducedMotion: 'reduce' });
      const page = await context.newPage();
      for (const screen of await screensIn(page, preview)) {
        await page.goto(preview.origin + pathOf(screen, language));
        await page.locator('h1').waitFor();
        await page.locator('button:disabled').waitFor({ state: 'detached' });
        const name = [screen.replace(/\W+/g, '-'), language, width, colorScheme].join('-');
        await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
      }
      await context.close();
    }
  }
} finally {
  await closeChromium();
  await preview.stop();
}
