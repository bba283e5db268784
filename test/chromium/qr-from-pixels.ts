/** What a camera would make of the page: the code is read from a screenshot, never from the document. */
import { expect } from 'chai';
import jsqr, { type QRCode } from 'jsqr';
import type { Page } from 'playwright-core';
import { PNG } from 'pngjs';
import { CODE_LENGTH, idIn } from '../support/codes.ts';

export interface Reading {
  readonly url: string;
  /** Whether four modules all around the code are white (ISO/IEC 18004, section 6.3.8). */
  readonly quietZoneIsWhite: boolean;
}

const QUIET_MODULES = 4;
const PATIENCE = 25_000;

/** What the code on the screen says. */
export async function readCode(page: Page): Promise<string> {
  return (await reading(page)).url;
}

export async function reading(page: Page): Promise<Reading> {
  await page.waitForSelector('[data-code] svg');
  const found = look(await page.screenshot());
  if (found === undefined) throw new Error(`no QR code can be seen on ${page.url()}`);
  return found;
}

/** How a bad camera sees the screen: out of focus, and compressed by a chat app. */
export async function readBadPicture(page: Page, blurredBy: number): Promise<string | undefined> {
  await page.waitForSelector('[data-code] svg');
  const jpeg = await page.screenshot({ type: 'jpeg', quality: 30 });
  const camera = await page.context().newPage();
  const png = await camera.evaluate<string>(`(async () => {
    const image = await createImageBitmap(await (await fetch('data:image/jpeg;base64,${jpeg.toString('base64')}')).blob());
    const canvas = document.createElement('canvas');
    canvas.width = image.width;
    canvas.height = image.height;
    const context = canvas.getContext('2d');
    context.filter = 'blur(${blurredBy}px)';
    context.drawImage(image, 0, 0);
    return canvas.toDataURL('image/png').split(',')[1];
  })()`);
  await camera.close();
  return look(Buffer.from(png, 'base64'))?.url;
}

/** Looks until the screen shows another code than this one. */
export async function readCodeOtherThan(page: Page, old: string): Promise<string> {
  const until = Date.now() + PATIENCE;
  while (Date.now() < until) {
    const found = look(await page.screenshot());
    if (found !== undefined && found.url !== old) return found.url;
  }
  throw new Error('the screen goes on showing the same code, or none');
}

/** The ticket that a code was shown for; codes of one ticket differ as they rotate. */
export function ticketIn(code: string): string {
  expect(new URL(code).pathname.split('/').at(-1)).to.have.length(CODE_LENGTH);
  return idIn(code);
}

function look(screenshot: Buffer): Reading | undefined {
  const png = PNG.sync.read(screenshot);
  // Not inverted: a code that is white on black is none for many cameras.
  const code = jsqr.default(new Uint8ClampedArray(png.data), png.width, png.height, {
    inversionAttempts: 'dontInvert',
  });
  if (code === null) return undefined;
  return { url: code.data, quietZoneIsWhite: hasWhiteFrame(png, code) };
}

function hasWhiteFrame(png: PNG, { location, version }: QRCode): boolean {
  const { topLeftCorner: from, bottomRightCorner: to } = location;
  const module = (to.x - from.x) / (17 + 4 * version);
  const frame = (modules: number): [number, number, number, number] => [
    Math.round(from.x - modules * module),
    Math.round(from.y - modules * module),
    Math.round(to.x + modules * module),
    Math.round(to.y + modules * module),
  ];
  // Half a module is left out on both sides, where edges are blurred.
  const [left, top, right, bottom] = frame(QUIET_MODULES - 0.5);
  const [innerLeft, innerTop, innerRight, innerBottom] = frame(0.5);
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const inside = x > innerLeft && x < innerRight && y > innerTop && y < innerBottom;
      if (!inside && !isWhite(png, x, y)) return false;
    }
  }
  return true;
}

function isWhite({ data, width }: PNG, x: number, y: number): boolean {
  const at = (y * width + x) * 4;
  return data[at] === 255 && data[at + 1] === 255 && data[at + 2] === 255;
}
