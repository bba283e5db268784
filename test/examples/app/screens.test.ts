import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { AXE, barriers, LANGUAGES } from '../../chromium/axe.ts';
import { CALM, openChromium } from '../../chromium/chromium.ts';
import { PATIENCE_MS } from '../../chromium/stage.ts';
import { sizeOfSuite } from '../../support/full-suite.ts';
import type { RunningServer } from '../../support/server.ts';
import { openPreview, pathOf, screensIn } from './preview.ts';

/** The width of the narrowest screens that the app fits on, in pixels. */
const NARROW = 320;

/** Waits until a screen has faded in. The full suite allows animations, and the animation of the spinner never ends. */
const APPEARED = `Promise.all(document.getAnimations()
  .filter(({ effect }) => effect.getTiming().iterations !== Infinity)
  .map(({ finished }) => finished)).then(() => true)`;

/** The screens that the short suite checks. */
const MAIN = [
  'start',
  'scan, typing',
  'ticket, with consent',
  'ticket, numbers',
  'digits',
  'browsers, two',
  'problem, no connection',
];

describe('every screen of the app', function () {
  this.timeout(sizeOfSuite({ short: 180_000, full: 600_000 }));
  let preview: RunningServer;

  before(async () => {
    preview = await openPreview();
  });

  after(() => preview?.stop());

  /**
   * Opens each screen, and runs `look` on it.
   * @throws AssertionError that names each screen for which `look` has failed
   */
  const onEach = async (
    options: BrowserContextOptions,
    look: (page: Page, screen: string) => Promise<void>,
    only?: readonly string[],
  ): Promise<void> => {
    const context = await (await openChromium()).newContext({ ...CALM, ...options });
    try {
      await context.addInitScript({ path: AXE });
      const page = await context.newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      const problems: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(`${page.url()}: ${message.text()}`);
      });
      for (const screen of only ?? (await screensIn(page, preview))) {
        await look(page, screen).catch((error: Error) => problems.push(`${screen}: ${error.message}`));
      }
      expect(problems).to.deep.equal([]);
    } finally {
      await context.close();
    }
  };
  const show = async (page: Page, screen: string, language?: string): Promise<void> => {
    await page.goto(preview.origin + pathOf(screen, language));
    await page.locator('h1').waitFor();
    // Wait for Approve to be enabled, because axe checks no contrast of disabled buttons.
    await page.locator('body:not(:has(button:disabled))').waitFor();
    await page.evaluate(APPEARED);
  };

  it('has all its texts in the languages of the provider’s pages, with the same placeholders', () => {
    const placeholders = (language: string): Record<string, string[]> => {
      const file = new URL(`../../../examples/app/locales/${language}.json`, import.meta.url);
      const texts: Record<string, string> = JSON.parse(readFileSync(file, 'utf8'));
      return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, text.match(/\{\w+\}/g) ?? []]));
    };
    for (const language of LANGUAGES) expect(placeholders(language), language).to.deep.equal(placeholders('en'));
  });

  for (const language of sizeOfSuite({ short: ['en', 'ar'], full: LANGUAGES })) {
    it(`has no barrier that axe finds, and fits a screen of ${NARROW} pixels, in ${language}`, () =>
      onEach(
        { viewport: { width: NARROW, height: 640 } },
        async (page, screen) => {
          await show(page, screen, language);
          expect(await page.locator('html').getAttribute('lang')).to.equal(language);
          expect(await barriers(page)).to.deep.equal([]);
          expect(await page.evaluate<number>('document.documentElement.scrollWidth')).to.equal(NARROW);
        },
        sizeOfSuite({ short: MAIN, full: undefined }),
      ));
  }

  it('has enough contrast in dark mode', () =>
    onEach(
      { colorScheme: 'dark' },
      async (page, screen) => {
        await show(page, screen);
        expect(await barriers(page, 'color-contrast')).to.deep.equal([]);
      },
      sizeOfSuite({ short: MAIN, full: undefined }),
    ));

  it('shows names from other parties as text', () =>
    onEach(
      {},
      async (page, screen) => {
        await show(page, screen);
        expect(await page.locator('h1').textContent()).to.include('<b>Bank</b>');
        expect(await page.locator('main b').count()).to.equal(0);
      },
      ['ticket, name that breaks out'],
    ));
});
