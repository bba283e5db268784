import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { allOrFirst, inFullSuite, sizeOfSuite } from '../support/full-suite.ts';
import type { RunningServer } from '../support/server.ts';
import { AXE, barriers, LANGUAGES } from './axe.ts';
import { CALM, openChromium } from './chromium.ts';
import { EXHIBITS, type Exhibit, openGallery } from './gallery.ts';
import { PATIENCE_MS } from './stage.ts';

const THEME = fileURLToPath(new URL('../../examples/theme', import.meta.url));

/** The axe rule about colours. */
const CONTRAST = 'color-contrast';

/**
 * The states that the short suite checks in every language and look. In English, it also checks one state of each other
 * page. The full suite checks all.
 */
const MAIN: readonly string[] = [
  'qr: waiting, with everything',
  'confirm: asked',
  'done: check code',
  'scan: typing',
  'devices: one',
];
const MOST = sizeOfSuite({
  short: EXHIBITS.filter(({ page, state }) => MAIN.includes(`${page}: ${state}`)),
  full: EXHIBITS,
});
const IN_ENGLISH = sizeOfSuite({
  short: EXHIBITS.filter(
    (exhibit, index) => MOST.includes(exhibit) || EXHIBITS.findIndex(({ page }) => page === exhibit.page) === index,
  ),
  full: EXHIBITS,
});

describe('every page, in each of its states', function () {
  // In the full suite a busy machine takes several seconds for each of the more than 100 pages.
  this.timeout(sizeOfSuite({ short: 180_000, full: 600_000 }));
  let gallery: RunningServer;
  let themed: RunningServer;

  before(async () => {
    gallery = await openGallery();
    themed = await openGallery([THEME]);
  });

  after(() => Promise.all([gallery?.stop(), themed?.stop()]));

  it('fails these checks if a barrier is added to it', () =>
    onEach(
      {},
      async (page, { path }) => {
        await page.goto(gallery.origin + path);
        await page.evaluate(
          `document.documentElement.removeAttribute('lang'); document.querySelector('h1').style.color = '#999'`,
        );
        const found = (await barriers(page)).join();
        expect(found).to.include('html-has-lang').and.include('color-contrast');
      },
      EXHIBITS.slice(0, 1),
    ));

  for (const language of sizeOfSuite({ short: ['en', 'ar'], full: LANGUAGES })) {
    it(`has no barrier that axe finds, and fits a screen of 320 pixels, in ${language}`, () =>
      onEach(
        { viewport: { width: 320, height: 640 } },
        async (page, exhibit) => {
          await page.goto(`${gallery.origin}${exhibit.path}?ui_locales=${language}`);
          expect(await page.locator('html').getAttribute('lang')).to.equal(language);
          expect(await barriers(page)).to.deep.equal([]);
          expect(await page.evaluate<number>('document.documentElement.scrollWidth')).to.equal(320);
        },
        language === 'en' ? IN_ENGLISH : MOST,
      ));
  }

  it('has enough contrast in dark mode', () =>
    onEach({ colorScheme: 'dark' }, async (page, { path }) => {
      await page.goto(gallery.origin + path);
      expect(await barriers(page, CONTRAST)).to.deep.equal([]);
    }));

  for (const colorScheme of allOrFirst(['light', 'dark'] as const)) {
    it(`has enough contrast in the example’s theme, ${colorScheme}`, () =>
      onEach({ colorScheme }, async (page, { path }) => {
        await page.goto(themed.origin + path);
        expect(await barriers(page, CONTRAST)).to.deep.equal([]);
      }));
  }

  inFullSuite(() =>
    it('fits with letters of twice the size, and on a screen of 2560 pixels', () =>
      onEach({ viewport: { width: 640, height: 800 } }, async (page, { path }) => {
        await page.goto(`${gallery.origin}${path}?ui_locales=de`);
        await page.evaluate(`document.documentElement.style.fontSize = '200%'`);
        expect(await page.evaluate<number>('document.documentElement.scrollWidth')).to.equal(640);
        await page.setViewportSize({ width: 2560, height: 1440 });
        const card = await page.locator('main').boundingBox();
        expect(card?.width).to.be.within(300, 1600);
        await page.setViewportSize({ width: 640, height: 800 });
      })),
  );
});

/** Opens each page, and runs `look` on it. @throws AssertionError that names each page for which `look` has failed */
async function onEach(
  options: BrowserContextOptions,
  look: (page: Page, exhibit: Exhibit) => Promise<void>,
  exhibits: readonly Exhibit[] = MOST,
): Promise<void> {
  const context: BrowserContext = await (await openChromium()).newContext({ ...CALM, ...options });
  try {
    await context.addInitScript({ path: AXE });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const problems: string[] = [];
    for (const exhibit of exhibits) {
      await look(page, exhibit).catch((error: Error) => problems.push(`${exhibit.path}: ${error.message}`));
    }
    expect(problems).to.deep.equal([]);
  } finally {
    await context.close();
  }
}
