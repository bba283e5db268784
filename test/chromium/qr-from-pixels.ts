/** Reads the code from a screenshot, as a camera does, and not from the document. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import jsqr, { type QRCode } from 'jsqr';
import type { Page } from 'playwright-core';
import { PNG } from 'pngjs';
import { CODE_LENGTH, idIn } from '../support/codes.ts';
import { codeAfter } from './acts.ts';

export interface Reading {
  readonly url: string;
  /** True if four modules all around the code are white (ISO/IEC 18004, section 6.3.8). */
  readonly quietZoneIsWhite: boolean;
}

const QUIET_MODULES = 4;
/** The margin around the code in a screenshot, in CSS pixels. */
const MARGIN_PX = 32;
const RETRY_EVERY_MS = 50;

/** Returns the address in the code on the screen. */
export async function readCode(page: Page): Promise<string> {
  return (await readQrCode(page)).url;
}

/** Reads the code from a screenshot of the code and its margin. */
export async function readQrCode(page: Page): Promise<Reading> {
  return expectCode(page, decode(await photographCode(page)));
}

/** Takes a screenshot of only the code and a margin, because reading a picture of the whole page takes longer. */
async function photographCode(page: Page): Promise<Buffer> {
  const code = page.locator('[data-code]', { has: page.locator('svg') });
  await code.scrollIntoViewIfNeeded();
  const box = await code.boundingBox();
  const viewport = page.viewportSize();
  if (box === null || viewport === null) throw new Error(`there is no code on ${page.url()}`);
  const [x, y] = [Math.max(0, box.x - MARGIN_PX), Math.max(0, box.y - MARGIN_PX)];
  const width = Math.min(viewport.width, box.x + box.width + MARGIN_PX) - x;
  const height = Math.min(viewport.height, box.y + box.height + MARGIN_PX) - y;
  return page.screenshot({ clip: { x, y, width, height } });
}

/** Reads the code from a picture of the whole screen. */
export async function readScreen(page: Page): Promise<Reading> {
  await page.waitForSelector('[data-code] svg');
  return expectCode(page, decode(await page.screenshot()));
}

/** Reads the code from the picture of a bad camera: out of focus, and compressed as by a chat app. */
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
  return decode(Buffer.from(png, 'base64'))?.url;
}

/** Waits until the QR page shows another code than this one, and reads it. */
export async function readCodeOtherThan(page: Page, old: string): Promise<string> {
  await codeAfter(page, old);
  // The address on the page changes before the picture, which has to be drawn first.
  for (;;) {
    const code = decode(await photographCode(page));
    if (code !== undefined && code.url !== old) return code.url;
    await pause(RETRY_EVERY_MS);
  }
}

/** Reads an attacker's page until it shows another code than this one. */
export async function seeCodeOtherThan(page: Page, old: string): Promise<string> {
  for (;;) {
    const code = decode(await page.screenshot());
    if (code !== undefined && code.url !== old) return code.url;
    await pause(RETRY_EVERY_MS);
  }
}

/** Returns the id of the ticket that a code belongs to. The codes of one ticket differ, because they rotate. */
export function ticketIn(code: string): string {
  expect(new URL(code).pathname.split('/').at(-1)).to.have.length(CODE_LENGTH);
  return idIn(code);
}

function expectCode(page: Page, code: Reading | undefined): Reading {
  if (code === undefined) throw new Error(`no QR code is visible on ${page.url()}`);
  return code;
}

function decode(screenshot: Buffer): Reading | undefined {
  const png = PNG.sync.read(screenshot);
  // Do not try the inverted picture, because many cameras cannot read a code that is white on black.
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
  // Half a module is ignored on both sides, because its edge is blurred.
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
