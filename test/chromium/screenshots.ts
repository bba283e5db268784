/**
 * Takes pictures of every page. `npm run screenshots -- <folder>` saves them there, in every language, light and dark,
 * on a phone and on a desktop. `--theme <views>` uses the views in that folder of a deployment. Without `<folder>` it
 * makes only the pictures of the README.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { BrowserContextOptions } from 'playwright-core';
import { closeChromium, openChromium } from './chromium.ts';
import { EXHIBITS, openGallery } from './gallery.ts';
import { savePictures } from './readme-pictures.ts';

const README_FOLDER = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const LANGUAGES = readdirSync(new URL('../../views/locales/', import.meta.url)).map((file) => basename(file, '.json'));

const DEVICES: Readonly<Record<string, BrowserContextOptions>> = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true },
};

const {
  values: { theme },
  positionals: [folder],
} = parseArgs({ allowPositionals: true, options: { theme: { type: 'string' } } });
mkdirSync(folder ?? README_FOLDER, { recursive: true });
try {
  if (folder === undefined) await savePictures(README_FOLDER);
  else {
    for (const device of Object.keys(DEVICES)) {
      for (const colorScheme of ['light', 'dark'] as const) await saveGallery(folder, { device, colorScheme });
    }
  }
} finally {
  await closeChromium();
}

/** Saves one picture of each page in each language. */
async function saveGallery(to: string, look: { device: string; colorScheme: 'light' | 'dark' }): Promise<void> {
  const gallery = await openGallery(theme === undefined ? [] : [theme]);
  const context = await (await openChromium()).newContext({ ...DEVICES[look.device], colorScheme: look.colorScheme });
  const page = await context.newPage();
  for (const language of LANGUAGES) {
    for (const exhibit of EXHIBITS) {
      await page.goto(`${gallery.origin}${exhibit.path}?ui_locales=${language}`);
      const name = [exhibit.page, exhibit.state, language, look.device, look.colorScheme]
        .join('-')
        .replace(/[ ,]+/g, '-');
      await page.screenshot({ path: `${to}/${name}.png`, fullPage: true });
    }
  }
  await context.close();
  await gallery.stop();
}
