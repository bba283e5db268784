/**
 * Provides cameras that film the picture that a test sets. The complete Chromium has a fake camera that films a file.
 * The headless shell of the short suite has no camera, so a canvas replaces it, which takes a quarter of the time.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { PNG } from 'pngjs';
import qrcode from 'qrcode';
import { launchWholeChromium } from './chromium.ts';

/** The size of a frame, unless the picture is larger. */
const WIDTH = 640;
const HEIGHT = 480;
const NOTHING: PNG = new PNG({ width: WIDTH, height: HEIGHT });

interface Frame {
  readonly width: number;
  readonly height: number;
  /** The brightness of each pixel. */
  readonly luma: Buffer;
}

export interface Camera {
  /** The browser that has this camera. */
  readonly browser: Browser;
  /** Adds the camera to a phone. Call it before the phone opens a page. */
  readonly fitInto: (phone: BrowserContext) => Promise<unknown>;
  /** Sets the picture that it films from its next start on. */
  readonly see: (picture: PNG) => void;
  readonly seeNothing: () => void;
  readonly close: () => Promise<void>;
}

/** Chromium's own fake camera. Chromium must be launched with the flags for it. */
export class FakeCamera implements Camera {
  readonly browser: Browser;
  readonly #folder: string;

  private constructor(browser: Browser, folder: string) {
    this.browser = browser;
    this.#folder = folder;
  }

  /** Launches Chromium with the camera. @param flags more command-line flags */
  static async open(...flags: string[]): Promise<FakeCamera> {
    const folder = mkdtempSync(join(tmpdir(), 'qr-login-camera-'));
    const fake = [
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${join(folder, 'seen.y4m')}`,
    ];
    const camera = new FakeCamera(await launchWholeChromium(...fake, ...flags), folder);
    camera.seeNothing();
    return camera;
  }

  async fitInto(): Promise<void> {
    // There is nothing to do: every page of this browser has the camera.
  }

  seeNothing(): void {
    this.see(NOTHING);
  }

  see(picture: PNG): void {
    const { width, height, luma } = frameOf(picture);
    const colour = Buffer.alloc((width * height) / 2, 0x80);
    const frame = Buffer.concat([Buffer.from('FRAME\n'), luma, colour]);
    const head = Buffer.from(`YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420jpeg\n`);
    writeFileSync(join(this.#folder, 'seen.y4m'), Buffer.concat([head, frame, frame]));
  }

  async close(): Promise<void> {
    await this.browser.close();
    rmSync(this.#folder, { recursive: true });
  }
}

/** A canvas that replaces the camera. */
export class CanvasCamera implements Camera {
  readonly browser: Browser;
  #frame: Frame = frameOf(NOTHING);

  constructor(browser: Browser) {
    this.browser = browser;
  }

  async fitInto(phone: BrowserContext): Promise<void> {
    await phone.exposeBinding('whatIsSeen', () => ({ ...this.#frame, luma: this.#frame.luma.toString('base64') }));
    await phone.addInitScript(FILM_CANVAS);
  }

  seeNothing(): void {
    this.see(NOTHING);
  }

  see(picture: PNG): void {
    this.#frame = frameOf(picture);
  }

  async close(): Promise<void> {
    // Leave the browser open, because all tests share it.
  }
}

/**
 * Replaces `getUserMedia`. It checks the permission as Chromium does. The picture comes as numbers, because the page's
 * content security policy forbids loading it.
 */
const FILM_CANVAS = `{
  navigator.mediaDevices.getUserMedia = async () => {
    const { state } = await navigator.permissions.query({ name: 'camera' });
    if (state !== 'granted') throw new DOMException('', 'NotAllowedError');
    const { width, height, ...seen } = await whatIsSeen();
    const luma = atob(seen.luma);
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = canvas.getContext('2d');
    const image = context.createImageData(width, height);
    for (let at = 0; at < luma.length; at++) {
      const grey = luma.charCodeAt(at);
      image.data.set([grey, grey, grey, 255], at * 4);
    }
    const film = () => context.putImageData(image, 0, 0);
    film();
    setInterval(film, 100);
    return canvas.captureStream(10);
  };
}`;

/** Returns a frame with the picture in its middle. The area around the picture is grey. */
function frameOf({ width: columns, height: rows, data }: PNG): Frame {
  const [width, height] = [Math.max(WIDTH, columns), Math.max(HEIGHT, rows)];
  const [left, top] = [(width - columns) >> 1, (height - rows) >> 1];
  const luma = Buffer.alloc(width * height, 0x80);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) luma[(top + y) * width + left + x] = grey(data, (y * columns + x) * 4);
  }
  return { width, height, luma };
}

function grey(data: Buffer, at: number): number {
  const [red = 0, green = 0, blue = 0] = data.subarray(at, at + 3);
  return Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
}

/** Returns a picture of the screen from the position of a phone in front of the code. */
export async function photograph(screen: Page): Promise<Buffer> {
  await screen.waitForSelector('[data-code] svg');
  const { x, y, width, height } = (await screen.locator('[data-code]').boundingBox()) ?? {
    x: 0,
    y: 0,
    width: 0,
    height: 0,
  };
  const clip = {
    x: x + width / 2 - WIDTH / 2,
    y: Math.max(0, y + height / 2 - HEIGHT / 2),
    width: WIDTH,
    height: HEIGHT,
  };
  return screen.screenshot({ clip });
}

/** Returns a picture of a QR code with any text, such as the code of another website. */
export function draw(text: string): Promise<Buffer> {
  return qrcode.toBuffer(text, { width: 400 });
}

/**
 * Returns a frame of a camera with 1280 × 720 pixels, that shows a code on a distant screen.
 * @param side the side of the code in pixels, without its quiet zone
 * @param place the middle of the code; the middle of the frame by default
 */
export function drawFar(text: string, side: number, place: { x: number; y: number } = { x: 640.3, y: 360.7 }): PNG {
  const { modules } = qrcode.create(text, { errorCorrectionLevel: 'L' });
  const frame = new PNG({ width: 1280, height: 720 });
  frame.data.fill(0x60);
  const module = side / modules.size;
  const [left, top] = [place.x - side / 2, place.y - side / 2];
  /** Returns the brightness at a point: black or white in the code, white around it. */
  const at = (x: number, y: number): number => {
    const [column, row] = [Math.floor((x - left) / module), Math.floor((y - top) / module)];
    const isCode = column >= 0 && row >= 0 && column < modules.size && row < modules.size;
    return isCode && modules.get(row, column) ? 0x1c : 0xdc;
  };
  const quiet = QUIET_MODULES * module;
  for (let y = Math.max(0, Math.floor(top - quiet)); y < Math.min(frame.height, top + side + quiet); y++) {
    for (let x = Math.max(0, Math.floor(left - quiet)); x < Math.min(frame.width, left + side + quiet); x++) {
      // A camera's pixel has the mean brightness of its area.
      const sum = SAMPLES.reduce((total, dy) => total + SAMPLES.reduce((row, dx) => row + at(x + dx, y + dy), 0), 0);
      const offset = (y * frame.width + x) * 4;
      frame.data.fill(Math.round(sum / SAMPLES.length ** 2), offset, offset + 3);
      frame.data[offset + 3] = 0xff;
    }
  }
  return frame;
}

const QUIET_MODULES = 4;
/** The positions in a pixel, in one direction, at which the picture is sampled. */
const SAMPLES: readonly number[] = [0.125, 0.375, 0.625, 0.875];
