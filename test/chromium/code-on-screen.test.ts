import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { PNG } from 'pngjs';
import { askToSignIn, codeOn, seeScreen } from './acts.ts';
import { scanBeside } from './phones.ts';
import { readCodeOtherThan, readQrCode } from './qr-from-pixels.ts';
import { Stage } from './stage.ts';
import { useStage } from './use-stage.ts';

/** The least width of a code that is easy to scan, in CSS pixels. */
const MIN_CODE_PX = 280;
const LAPTOP = { width: 1366, height: 650 };
const NARROW = { width: 390, height: 664 };
const TELEVISION = { width: 1920, height: 1080 };
const PHONE = {
  viewport: { width: 360, height: 640 },
  isMobile: true,
  hasTouch: true,
  userAgent: 'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/150.0.0.0 Mobile Safari/537.36',
};

describe('the code on the screen', () => {
  const stage = useStage({ shortCode: true }, { passkeys: true });

  for (const [what, viewport] of Object.entries({ 'a laptop': LAPTOP, 'a narrow window': NARROW })) {
    it(`is at least ${MIN_CODE_PX} pixels wide on ${what}, with modules of a whole number of pixels, and so is the next code`, async () => {
      const screen = await askToSignIn(stage(), await stage().desktop({ viewport }));
      const first = await codeOn(screen);
      const widths = await moduleWidths(screen);
      expect(widths.code).to.be.at.least(MIN_CODE_PX);
      expect(widths.module).to.be.at.least(5).and.satisfy(Number.isInteger);
      expect(widths.broken).to.equal(0);
      stage().clock.forward(10);
      await readCodeOtherThan(screen, first);
      expect(await moduleWidths(screen)).to.deep.equal(widths);
    });
  }

  it('leaves room for the other ways to sign in, so that a laptop shows them without scrolling', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop({ viewport: LAPTOP }));
    for (const way of ['Use a passkey on this device', 'Sign in with a password']) {
      expect(await bottomOf(screen, way)).to.be.at.most(LAPTOP.height);
    }
    const group = screen.getByRole('navigation', { name: 'Other ways to sign in' });
    expect(await group.locator('button, a').allInnerTexts()).to.deep.equal([
      'Use a passkey on this device',
      'Sign in with a password',
    ]);
  });

  it('comes after the other ways to sign in if a phone shows the page', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop(PHONE));
    const code = await screen.locator('[data-code]').boundingBox();
    for (const way of ['Use a passkey on this device', 'Sign in with a password']) {
      expect(await bottomOf(screen, way)).to.be.at.most(Math.min(PHONE.viewport.height, code?.y ?? 0));
    }
  });

  it('is large enough for a television, with large letters, and the page fits one screen', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop({ viewport: TELEVISION }));
    const { code, module, broken } = await moduleWidths(screen);
    expect(code).to.be.at.least(2 * MIN_CODE_PX);
    expect([module % 1, broken]).to.deep.equal([0, 0]);
    const letters = await screen.evaluate<string>(`getComputedStyle(document.querySelector('.steps li')).fontSize`);
    expect(Number.parseFloat(letters)).to.be.at.least(24);
    expect(await bottomOf(screen, 'Sign in with a password')).to.be.at.most(TELEVISION.height);
  });

  it('has no countdown after the scan until the last 20 seconds', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    await scanBeside(stage(), screen);
    await seeScreen(screen, 'scanned');
    const countdown = screen.getByText('Time left:');
    stage().clock.forward(98);
    await screen.reload();
    await screen.locator('link[rel=icon][href*=busy]').waitFor({ state: 'attached' });
    expect(await countdown.isVisible()).to.equal(false);
    stage().clock.forward(3);
    await screen.reload();
    await countdown.waitFor();
    expect(await countdown.textContent()).to.match(/0:1\d$/);
  });
});

describe('the picture of a deployment in its codes', () => {
  it('is in the middle of the first code and of the codes that the page draws, and cameras can read them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'views-'));
    mkdirSync(join(folder, 'assets'));
    writeFileSync(
      join(folder, 'assets/code-mark.svg'),
      '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path fill="#c00" d="M0 0h8v8H0z"/></svg>',
    );
    const stage = await Stage.set({ views: folder });
    try {
      const screen = await askToSignIn(stage, await stage.desktop({ viewport: LAPTOP }));
      await screen.waitForLoadState('load');
      const first = await readQrCode(screen);
      expect(first.quietZoneIsWhite).to.equal(true);
      expect(await colourInTheMiddle(screen)).to.deep.equal([204, 0, 0]);
      expect((await moduleWidths(screen)).code).to.be.at.least(MIN_CODE_PX);

      stage.clock.forward(10);
      expect(await readCodeOtherThan(screen, first.url)).to.equal(await codeOn(screen));
      expect(await colourInTheMiddle(screen)).to.deep.equal([204, 0, 0]);
      // Level H: 57 modules with the quiet zone, where level M has 45.
      expect(await screen.locator('[data-code] svg').getAttribute('viewBox')).to.equal('0 0 57 57');
      await (await scanBeside(stage, screen)).approve();
      await screen.getByRole('button', { name: 'Allow' }).waitFor();
      expect(stage.problems).to.deep.equal([]);
    } finally {
      await stage.strike();
      rmSync(folder, { recursive: true });
    }
  });
});

interface Widths {
  /** The width of the code with its quiet zone, in CSS pixels. */
  readonly code: number;
  readonly module: number;
  /** The number of dark lines in the picture of the code whose length is not a whole number of modules. */
  readonly broken: number;
}

/** Measures the code in a picture of the screen. */
async function moduleWidths(screen: Page): Promise<Widths> {
  const svg = screen.locator('[data-code] svg');
  const { width: code = 0 } = (await svg.boundingBox()) ?? {};
  const modules = Number((await svg.getAttribute('viewBox'))?.split(' ')[2]);
  const module = code / modules;
  const { data, width, height } = PNG.sync.read(await svg.screenshot());
  const isDark = (x: number, y: number): boolean => (data[(y * width + x) * 4] ?? 255) < 128;
  let broken = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = x;
      while (x < width && isDark(x, y)) x++;
      if ((x - from) % module !== 0) broken += 1;
    }
  }
  return { code, module, broken };
}

async function colourInTheMiddle(screen: Page): Promise<number[]> {
  const { data, width, height } = PNG.sync.read(await screen.locator('[data-code]').screenshot());
  const at = (Math.floor(height / 2) * width + Math.floor(width / 2)) * 4;
  return [...data.subarray(at, at + 3)];
}

/** Returns the lower edge of a button or link, in CSS pixels from the top of the page. */
async function bottomOf(screen: Page, name: string): Promise<number> {
  const box = await screen.locator('main').getByText(name, { exact: true }).locator('visible=true').boundingBox();
  return box === null ? Number.POSITIVE_INFINITY : box.y + box.height;
}
