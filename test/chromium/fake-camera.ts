/** A Chromium whose camera sees what a test holds before it: a file that it films again and again. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { PNG } from 'pngjs';
import qrcode from 'qrcode';
import { launchChromium } from './chromium.ts';

const WIDTH = 640;
const HEIGHT = 480;

export class FakeCamera {
  readonly browser: Browser;
  readonly #folder: string;

  private constructor(browser: Browser, folder: string) {
    this.browser = browser;
    this.#folder = folder;
  }

  /** @param flags more of Chromium's */
  static async open(...flags: string[]): Promise<FakeCamera> {
    const folder = mkdtempSync(join(tmpdir(), 'qr-login-camera-'));
    const fake = [
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${join(folder, 'seen.y4m')}`,
    ];
    const camera = new FakeCamera(await launchChromium(...fake, ...flags), folder);
    camera.seeNothing();
    return camera;
  }

  seeNothing(): void {
    this.see(new PNG({ width: WIDTH, height: HEIGHT }));
  }

  /** What it films from its next start on. */
  see({ width, height, data }: PNG): void {
    const luma = Buffer.alloc(WIDTH * HEIGHT, 0x80);
    for (let y = 0; y < Math.min(height, HEIGHT); y++) {
      for (let x = 0; x < Math.min(width, WIDTH); x++) luma[y * WIDTH + x] = grey(data, (y * width + x) * 4);
    }
    const colour = Buffer.alloc((WIDTH * HEIGHT) / 2, 0x80);
    const frame = Buffer.concat([Buffer.from('FRAME\n'), luma, colour]);
    const head = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\n`);
    writeFileSync(join(this.#folder, 'seen.y4m'), Buffer.concat([head, frame, frame]));
  }

  async close(): Promise<void> {
    await this.browser.close();
    rmSync(this.#folder, { recursive: true });
  }
}

function grey(data: Buffer, at: number): number {
  const [red = 0, green = 0, blue = 0] = data.subarray(at, at + 3);
  return Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
}

/** A screen as a phone sees it that is held before the code. */
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

/** A code that somebody else has made. */
export function draw(text: string): Promise<Buffer> {
  return qrcode.toBuffer(text, { width: 400 });
}
