import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { sizeOfSuite } from '../support/full-suite.ts';
import type { RunningServer } from '../support/server.ts';
import { askToSignIn, otherThan, seeScreen } from './acts.ts';
import { LANGUAGES } from './axe.ts';
import { CALM, openChromium } from './chromium.ts';
import { openGallery } from './gallery.ts';
import { scanBeside } from './phones.ts';
import { PATIENCE_MS } from './stage.ts';
import { useStage } from './use-stage.ts';

const SIZES = [
  { width: 1366, height: 650 },
  { width: 390, height: 664 },
] as const;
/** Maps each part of the page to the sample that the server renders in this state, if there is one. */
const SCREENS: Readonly<Record<string, string | undefined>> = {
  waiting: 'waiting',
  'signing-in': undefined,
  scanned: 'scanned',
  'check-code': 'check code',
  switch: 'switch from the last account',
  finishing: 'finishing',
  denied: 'denied',
  expired: 'expired',
  cancelled: 'cancelled',
  'wrong-codes': 'wrong codes',
  refused: undefined,
};
/** A difference that is too small to be visible. */
const EDGE_PX = 0.5;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A layout shift, with the state of the page and the parts that moved, so that a failure says what moved. */
interface Shift {
  readonly value: number;
  readonly screen: string;
  readonly moved: readonly string[];
}

describe('the card (the frame around the content) of the QR page', () => {
  let gallery: RunningServer;
  let context: BrowserContext;
  let page: Page;

  before(async () => {
    gallery = await openGallery();
  });

  after(() => gallery.stop());

  afterEach(() => context.close());

  for (const viewport of SIZES) {
    for (const language of sizeOfSuite({ short: ['en', 'de'], full: LANGUAGES })) {
      it(`keeps its size, and the code its place, in all states, on ${viewport.width} × ${viewport.height}, in ${language}`, async () => {
        context = await (await openChromium()).newContext({ ...CALM, viewport });
        // The gallery has no event stream, so the page must not open one.
        await context.addInitScript('window.EventSource = class { addEventListener() {} }');
        page = await context.newPage();
        page.setDefaultTimeout(PATIENCE_MS);
        for (const sample of sizeOfSuite({ short: ['waiting'], full: ['waiting', 'waiting, with everything'] })) {
          expect(await differencesAfterTurns(sample, language)).to.deep.equal([]);
        }
        expect(await differencesOfSamples(language)).to.deep.equal([]);
      });
    }
  }

  it('has the text of a state close to its mark, and the button close to the text, on a small phone', async () => {
    context = await (await openChromium()).newContext({ ...CALM, viewport: { width: 360, height: 640 } });
    page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const gaps: Record<string, readonly number[]> = {};
    for (const sample of Object.values(SCREENS).filter((one) => one !== undefined && one !== 'waiting')) {
      await open(`${sample}`, 'en');
      const [mark, heading] = await Promise.all(['.mark', '.states h2'].map((part) => boxOf(part)));
      const ends = ['[data-renew] button', '.states section p'].map((part) => boxOf(part));
      const [button, text] = await Promise.all(ends);
      const toText = (heading?.y ?? Number.NaN) - bottomOf(mark);
      const toButton = button === undefined ? 0 : button.y - bottomOf(text);
      if (!(toText <= 32) || !(toButton <= 80)) gaps[`${sample}`] = [toText, toButton];
    }
    expect(gaps).to.deep.equal({});
  });

  /** Shows every part on one page, one after the other. @returns the parts that change the card or move the code */
  async function differencesAfterTurns(sample: string, language: string): Promise<string[]> {
    await open(sample, language);
    const before = await boxes();
    const differences: string[] = [];
    for (const screen of Object.keys(SCREENS)) {
      await page.evaluate(`(${turn})('${screen}')`);
      const now = await boxes();
      if (!isSame(now, before)) differences.push(`${sample}, ${screen}: ${JSON.stringify([before, now])}`);
    }
    return differences;
  }

  /** @returns the samples in which the size of the card or the place of the code differs from the waiting page */
  async function differencesOfSamples(language: string): Promise<string[]> {
    await open('waiting', language);
    const before = await boxes();
    const differences: string[] = [];
    for (const sample of Object.values(SCREENS).filter((one) => one !== undefined)) {
      await open(sample, language);
      const now = await boxes();
      if (!isSame(now, before)) differences.push(`${sample}: ${JSON.stringify([before, now])}`);
    }
    return differences;
  }

  /** Returns the place of the last visible element that matches, if there is one. */
  async function boxOf(selector: string): Promise<Box | undefined> {
    const found = await page.locator(selector).filter({ visible: true }).all();
    return (await found.at(-1)?.boundingBox()) ?? undefined;
  }

  async function open(sample: string, language: string): Promise<void> {
    await page.goto(`${gallery.origin}/qr/${encodeURIComponent(sample)}?ui_locales=${language}`);
  }

  async function boxes(): Promise<Box[]> {
    const found = await Promise.all(['main', '[data-code]'].map((part) => page.locator(part).boundingBox()));
    return found.filter((box) => box !== null);
  }
});

function bottomOf(box: Box | undefined): number {
  return box === undefined ? Number.NaN : box.y + box.height;
}

describe('the QR page', () => {
  const stage = useStage({ assess: () => 'check code' });

  for (const viewport of SIZES) {
    it(`keeps its layout from the first code to a wrong number and a new code, on ${viewport.width} × ${viewport.height}`, async () => {
      stage().expectProblem(/403/);
      const desktop = await stage().desktop({ viewport });
      await desktop.addInitScript(recordShifts);
      const screen = await askToSignIn(stage(), desktop);
      const phone = await scanBeside(stage(), screen);
      await seeScreen(screen, 'scanned');
      expect(await isFaint(screen)).to.equal(true);
      await phone.approve();
      await seeScreen(screen, 'check-code');
      for (let tries = 1; tries <= 3; tries++) {
        const answer = screen.waitForResponse(/\/qr\/finish$/);
        await screen.getByLabel('6-digit number').fill(otherThan(await phone.checkCode()));
        await answer;
      }
      await seeScreen(screen, 'wrong-codes');
      await screen.getByRole('button', { name: 'Show a new QR code' }).click();
      await seeScreen(screen, 'waiting');
      await screen.locator('[data-code] svg').waitFor();
      expect(await isFaint(screen)).to.equal(false);
      const shifts = await screen.evaluate<Shift[]>('shifts');
      const sum = shifts.reduce((total, { value }) => total + value, 0);
      expect(sum, JSON.stringify(shifts)).to.be.at.most(0.02);
    });
  }

  it('dims the code below the state, and does not remove it', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const code = await screen.locator('[data-code] svg').innerHTML();
    await scanBeside(stage(), screen);
    await seeScreen(screen, 'scanned');
    expect(await screen.locator('[data-code] svg').innerHTML()).to.equal(code);
    expect(await isFaint(screen)).to.equal(true);
  });

  for (const reducedMotion of ['no-preference', 'reduce'] as const) {
    it(`${reducedMotion === 'reduce' ? 'shows a change immediately' : 'animates a change'} with prefers-reduced-motion: ${reducedMotion}`, async () => {
      const screen = await askToSignIn(stage(), await stage().desktop({ reducedMotion }));
      const animations = (): Promise<string[]> =>
        screen.evaluate<string[]>(
          `['.how', 'section[data-when=scanned]'].map((part) => getComputedStyle(document.querySelector(part)).animationName)`,
        );
      expect(await animations()).to.deep.equal(['none', 'none']);
      await scanBeside(stage(), screen);
      await seeScreen(screen, 'scanned');
      expect(await animations()).to.deep.equal(['none', reducedMotion === 'reduce' ? 'none' : 'rise']);
    });
  }

  it('shows each state in the title and the icon of its tab', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const tab = async (): Promise<string[]> => [
      await screen.title(),
      await screen.evaluate<string>(`document.querySelector('link[rel=icon]').href.match(/icon[\\w-]*/)[0]`),
    ];
    expect(await tab()).to.deep.equal(['Sign in to Demo app', 'icon']);
    const phone = await scanBeside(stage(), screen);
    await seeScreen(screen, 'scanned');
    const scanned = await tab();
    expect(scanned[0]).to.match(/^Scanned by .+: look at your phone · Sign in to Demo app$/);
    expect(scanned[1]).to.equal('icon-busy');
    await screen.reload();
    await screen.locator('link[rel=icon][href*=busy]').waitFor({ state: 'attached' });
    expect(await tab()).to.deep.equal(scanned);
    await phone.approve();
    await seeScreen(screen, 'check-code');
    expect(await tab()).to.deep.equal(['Type the number from your phone · Sign in to Demo app', 'icon-busy']);
    stage().clock.forward(121);
    await seeScreen(screen, 'waiting');
    expect(await tab()).to.deep.equal(['Sign in to Demo app', 'icon']);
  });
});

/** Records each layout shift as a `Shift` in `shifts`. Runs in each page before its own scripts. */
const recordShifts = `
  window.shifts = [];
  const pixels = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(' ');
  const movement = ({ node, previousRect, currentRect }) =>
    (node?.outerHTML ?? node?.textContent ?? '').slice(0, 60) + ': ' + pixels(previousRect) + ' → ' + pixels(currentRect);
  new PerformanceObserver((list) => {
    const screen = document.querySelector('main')?.dataset.screen ?? '';
    shifts.push(...list.getEntries().map(({ value, sources }) => ({ value, screen, moved: sources.map(movement) })));
  }).observe({ type: 'layout-shift', buffered: true });`;

/** Shows a part of the page in the same way as the page's script. Runs in the page. */
const turn = `(screen) => {
  const page = document.querySelector('main');
  page.dataset.screen = screen;
  for (const part of page.querySelectorAll('[data-when]')) {
    part.hidden = !part.dataset.when.split(' ').includes(screen);
  }
}`;

function isSame(some: readonly Box[], others: readonly Box[]): boolean {
  return others.every((other, at) => {
    const one = some[at];
    if (one === undefined) return false;
    return (['x', 'y', 'width', 'height'] as const).every((side) => Math.abs(one[side] - other[side]) <= EDGE_PX);
  });
}

/** Returns true if the code is too faint for a camera, once its transition is over. */
async function isFaint(screen: Page): Promise<boolean> {
  return screen.evaluate<boolean>(
    `Promise.all(document.querySelector('[data-code]').getAnimations().map(({ finished }) => finished))
       .then(() => Number(getComputedStyle(document.querySelector('[data-code]')).opacity) < 0.1)`,
  );
}
