import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { sizeOfSuite } from '../support/full-suite.ts';
import { LANGUAGES } from './axe.ts';
import { CALM, openChromium } from './chromium.ts';
import { EXHIBITS, type Exhibit, openGallery } from './gallery.ts';
import {
  brokenWords,
  crampedTexts,
  hiddenElements,
  overflowingElements,
  tabThrough,
  touchingControls,
} from './page-checks.ts';

const WIDTHS = [360, 390, 768, 1366, 1920];
const HEIGHT = 800;

/** The states with the most controls. The short suite checks these, and the first state of each page. */
const FULL_PAGES = [
  'waiting, with everything',
  'waiting, with a passkey of its own',
  'passkey, with consent',
  'action approved on the same device',
  'mistyped',
  'two',
  'known',
  'with everything',
  'invalid_request: app',
  'a wrong setup',
];
const FEW = EXHIBITS.filter(
  ({ page, state }, index) => EXHIBITS.findIndex((one) => one.page === page) === index || FULL_PAGES.includes(state),
);
const SHOWN = sizeOfSuite({ short: FEW, full: EXHIBITS });

/** The confirm page without a demand, and with each demand. */
const DECISIONS = EXHIBITS.filter(
  ({ page, state }) => page === 'confirm' && state !== 'with long names' && !state.startsWith('no passkey'),
);

describe('the controls of every page', function () {
  this.timeout(sizeOfSuite({ short: 180_000, full: 900_000 }));
  for (const language of sizeOfSuite({ short: ['fr'], full: LANGUAGES })) {
    it(`never touch each other, and nothing is too wide, in ${language}, on screens of ${WIDTHS.join(', ')} pixels`, () =>
      onEach(SHOWN, language, async (page) => {
        const problems: string[] = [];
        const note = (where: string, found: readonly string[]): void => {
          problems.push(...found.map((problem) => `${where}: ${problem}`));
        };
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: HEIGHT });
          note(`${width}`, [
            ...(await touchingControls(page)),
            ...(await crampedTexts(page)),
            ...(await overflowingElements(page)),
            ...(await brokenWords(page)),
          ]);
        }
        await page.evaluate(`document.documentElement.style.fontSize = '200%'`);
        for (const width of [360, 1366]) {
          await page.setViewportSize({ width, height: HEIGHT });
          note(`${width} at 200 %`, [...(await touchingControls(page)), ...(await overflowingElements(page))]);
        }
        return problems;
      }));
  }

  it('can all be reached by the Tab key, show the focus, and are not covered while they have it', () =>
    onEach(SHOWN, 'de', async (page) => {
      await page.setViewportSize({ width: 360, height: 640 });
      return tabThrough(page);
    }));
});

describe('the confirm page on a small phone', function () {
  this.timeout(sizeOfSuite({ short: 180_000, full: 600_000 }));
  for (const language of sizeOfSuite({ short: ['en', 'de'], full: LANGUAGES })) {
    it(`shows both answers and the question without scrolling, in ${language}`, () =>
      onEach(DECISIONS, language, async (page) => {
        const problems: string[] = [];
        for (const [width, height] of [
          [360, 640],
          [390, 664],
        ] as const) {
          await page.setViewportSize({ width, height });
          await page.evaluate('scrollTo(0, 0)');
          const hidden = await hiddenElements(page, 'h1, .facts, .hurdle, .question, .warning, .choice > *');
          problems.push(...hidden.map((one) => `${width} by ${height}: ${one}`));
        }
        return problems;
      }));
  }

  it('leads to the question if a number is tapped before the question is answered', () =>
    onEach(
      EXHIBITS.filter(({ state }) => state === 'numbers and a question'),
      'de',
      async (page) => {
        await page.setViewportSize({ width: 360, height: 640 });
        await page.locator('button[name=match]:enabled').first().click();
        const focused = await page.evaluate<string>('document.activeElement.id');
        return [
          ...(focused === 'proof' ? [] : [`the focus is on "${focused}"`]),
          ...(await hiddenElements(page, '#proof')),
        ];
      },
    ));

  it('has no sticky bar on a screen that is so low that the bar would cover the question', () =>
    onEach(DECISIONS.slice(0, 1), 'en', async (page) => {
      await page.setViewportSize({ width: 640, height: 360 });
      const position = await page.evaluate<string>(`getComputedStyle(document.querySelector('.choice')).position`);
      return position === 'sticky' ? ['the bar is sticky'] : [];
    }));

  it('can be scrolled until the bar covers nothing, even with letters of twice the size', () =>
    onEach(DECISIONS, 'de', async (page) => {
      await page.setViewportSize({ width: 360, height: 640 });
      await page.evaluate(`document.documentElement.style.fontSize = '200%'`);
      return touchingControls(page);
    }));
});

/** Opens each page in a language. @throws AssertionError with the problems that `look` returns for all pages */
async function onEach(
  exhibits: readonly Exhibit[],
  language: string,
  look: (page: Page) => Promise<readonly string[]>,
): Promise<void> {
  expect(exhibits).not.to.be.empty;
  const context = await (await openChromium()).newContext(CALM);
  // Block the page's script: it would get no answers from the gallery, and show that the connection is lost.
  await context.route('**/browser.js*', (route) => route.abort());
  const gallery = await openGallery();
  try {
    const page = await context.newPage();
    const problems: string[] = [];
    for (const { path } of exhibits) {
      await page.goto(`${gallery.origin}${path}?ui_locales=${language}`);
      problems.push(...(await look(page)).map((problem) => `${path}: ${problem}`));
      await page.evaluate(`document.documentElement.removeAttribute('style')`);
    }
    if (problems.length > 0) expect.fail(problems.join('\n'));
  } finally {
    await context.close();
    await gallery.stop();
  }
}
