/**
 * Takes pictures of every page. `npm run screenshots -- <folder>` saves them there, in every language, light and dark,
 * on a phone and on a desktop; with `--theme <views>`, with a folder of views. Without a folder it makes only the
 * picture of the README.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { BrowserContextOptions } from 'playwright-core';
import { askToSignIn } from './acts.ts';
import { closeChromium, openChromium } from './chromium.ts';
import { EXHIBITS, openGallery } from './gallery.ts';
import { scan, signedInPhone } from './phones.ts';
import { Stage } from './stage.ts';

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
  if (folder === undefined) await pictureForReadme(README_FOLDER);
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

/** Saves a picture of the QR page and the confirm page side by side. */
async function pictureForReadme(to: string): Promise<void> {
  const stage = await Stage.set();
  const sharp = { deviceScaleFactor: 2 };
  const desktop = await stage.desktop({ ...sharp, viewport: { width: 760, height: 760 } });
  const screen = await askToSignIn(stage, desktop);
  const left = await screen.screenshot();
  const hand = await signedInPhone(stage, { ...sharp, viewport: { width: 390, height: 900 } });
  const phone = await scan(stage, screen, hand);
  const right = await phone.screenshot();

  const picture = await stage.open(await stage.desktop({ viewport: { width: 1240, height: 800 } }));
  const image = (png: Buffer, width: number): string =>
    `<img width="${width}" src="data:image/png;base64,${png.toString('base64')}">`;
  await picture.setContent(
    `<style>
      body { margin: 0; height: 800px; display: flex; gap: 40px; align-items: center; justify-content: center; background: #dfe5ec }
      img { border-radius: 14px; border: 1px solid #b8c2cd }
      img + img { border: 8px solid #16191d; border-radius: 34px; height: 740px; width: auto }
    </style>${image(left, 720)}${image(right, 360)}`,
  );
  writeFileSync(`${to}/signin.png`, await picture.screenshot());
  await stage.strike();
}
