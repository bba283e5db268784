/** What a camera would make of the page: the code is read from a screenshot, never from the document. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import jsqr, { type QRCode } from 'jsqr';
import type { Page } from 'playwright-core';
import { PNG } from 'pngjs';
import { CODE_LENGTH, idIn } from '../support/codes.ts';
import { codeAfter } from './acts.ts';

export interface Reading {
  readonly url: string;
  /** Whether four modules all around the code are white (ISO/IEC 18004, section 6.3.8). */
  readonly quietZoneIsWhite: boolean;
}

const QUIET_MODULES = 4;
/** Of what is around the code, this much is in the picture, in CSS pixels. */
const AROUND = 32;
const LOOK_EVERY_MS = 50;

/** What the code on the screen says. */
export async function readCode(page: Page): Promise<string> {
  return (await reading(page)).url;
}

export async function reading(page: Page): Promise<Reading> {
  return found(page, look(await photographCode(page)));
}

/** Takes a picture of the code and a little around it: the rest of the page takes longer to look through. */
async function photographCode(page: Page): Promise<Buffer> {
  const code = page.locator('[data-code]', { has: page.locator('svg') });
  await code.scrollIntoViewIfNeeded();
  const box = await code.boundingBox();
  const viewport = page.viewportSize();
  if (box === null || viewport === null) throw new Error(`there is no code on ${page.url()}`);
  const [x, y] = [Math.max(0, box.x - AROUND), Math.max(0, box.y - AROUND)];
  const width = Math.min(viewport.width, box.x + box.width + AROUND) - x;
  const height = Math.min(viewport.height, box.y + box.height + AROUND) - y;
  return page.screenshot({ clip: { x, y, width, height } });
}

/** Reads the code from a picture of the whole screen. */
export async function readScreen(page: Page): Promise<Reading> {
  await page.waitForSelector('[data-code] svg');
  return found(page, look(await page.screenshot()));
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

/** Waits until the QR page shows another code than this one, and reads it. */
export async function readCodeOtherThan(page: Page, old: string): Promise<string> {
  await codeAfter(page, old);
  // The address on the page is ahead of the picture for as long as it takes to draw that.
  for (;;) {
    const code = look(await photographCode(page));
    if (code !== undefined && code.url !== old) return code.url;
    await pause(LOOK_EVERY_MS);
  }
}

/** Looks at a page of an attacker's until that shows another code than this one. */
export async function seeCodeOtherThan(page: Page, old: string): Promise<string> {
  for (;;) {
    const code = look(await page.screenshot());
    if (code !== undefined && code.url !== old) return code.url;
    await pause(LOOK_EVERY_MS);
  }
}

/** The ticket that a code was shown for; codes of one ticket differ as they rotate. */
export function ticketIn(code: string): string {
  expect(new URL(code).pathname.split('/').at(-1)).to.have.length(CODE_LENGTH);
  return idIn(code);
}

function found(page: Page, code: Reading | undefined): Reading {
  if (code === undefined) throw new Error(`no QR code can be seen on ${page.url()}`);
  return code;
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
