/**
 * Makes the pictures of the README. They show scan, approval and digits side by side, light and dark, and as an
 * animation of ten seconds. The pages are those of the example at real host names.
 */
import { writeFileSync } from 'node:fs';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { PNG } from 'pngjs';
import { checkCodeOn, seeCode, seeScreen, waitForYes } from './acts.ts';
import { animatedPng } from './animated-png.ts';
import { CanvasCamera } from './fake-camera.ts';
import { readCode } from './qr-from-pixels.ts';
import { APP_HOST, APP_URL, PROVIDER_HOST, type Scene, setScene } from './readme-scene.ts';

type ColorScheme = 'light' | 'dark';

/** The limit for the animation: many readers load it on a phone. */
const ANIMATION_LIMIT_BYTES = 400 * 1024;

/** The content of both screens at one moment of the sign-in. */
interface Moment {
  readonly caption: string;
  readonly host: string;
  readonly browser: Buffer;
  readonly phone: Buffer;
  readonly lastsMs: number;
}

/** Saves `signin-light.png`, `signin-dark.png` and `signin-animation.png`. */
export async function savePictures(folder: string): Promise<void> {
  const scene = await setScene();
  try {
    for (const colorScheme of ['light', 'dark'] as const) {
      const moments = await signIn(scene, colorScheme);
      const [scan, approve, digits] = [moments[1], moments[2], moments[4]];
      const row = [scan, approve, digits].filter((moment) => moment !== undefined);
      writeFileSync(`${folder}/signin-${colorScheme}.png`, await compose(scene, row, colorScheme));
      if (colorScheme === 'light') writeFileSync(`${folder}/signin-animation.png`, await animate(scene, moments));
    }
  } finally {
    await scene.close();
  }
}

async function animate(scene: Scene, moments: readonly Moment[]): Promise<Buffer> {
  const frames = [];
  for (const moment of moments) {
    frames.push({ picture: await compose(scene, [moment], 'light'), lastsMs: moment.lastsMs });
  }
  const file = animatedPng(frames);
  if (file.length > ANIMATION_LIMIT_BYTES) throw new Error(`the animation has ${file.length} bytes, which is too many`);
  return file;
}

/**
 * Signs a browser in with a phone, and takes a picture of both at each moment. The moments last ten seconds in total.
 */
async function signIn(scene: Scene, colorScheme: ColorScheme): Promise<Moment[]> {
  const desktop = await scene.open({ colorScheme, viewport: { width: 860, height: 600 } });
  const hand: BrowserContextOptions = { colorScheme, viewport: { width: 360, height: 700 }, deviceScaleFactor: 2 };
  const phoneContext = await scene.phone({ ...hand, permissions: ['camera'] });
  const moments: Moment[] = [];
  const screen = await desktop.newPage();
  const phone = await phoneContext.newPage();
  const take = async (caption: string, host: string, lastsMs: number): Promise<void> => {
    const [browser, held] = [await screen.screenshot(), await phone.screenshot()];
    moments.push({ caption, host, browser, phone: held, lastsMs });
  };

  await screen.goto(APP_URL);
  await phone.goto(`https://${PROVIDER_HOST}/account`);
  await take('Choose “Sign in”', APP_HOST, 1200);

  await screen.getByRole('link', { name: 'Sign in' }).click();
  await seeCode(screen);
  const code = await readCode(screen);
  await filmInto(phone, screen);
  await take('Scan the code', PROVIDER_HOST, 2400);

  await phone.goto(code);
  await waitForYes(phone);
  await seeScreen(screen, 'scanned');
  await take('Check and approve', PROVIDER_HOST, 2400);

  await phone.locator('button[value=approve]').click();
  await phone.waitForSelector('.check-code');
  await seeScreen(screen, 'check-code');
  await take('Type the digits', PROVIDER_HOST, 1100);
  const digits = await checkCodeOn(phone);
  await screen.keyboard.type(digits.slice(0, 5));
  await take('Type the digits', PROVIDER_HOST, 1100);

  await screen.keyboard.type(digits.slice(5));
  await screen.waitForURL(`${APP_URL}/`);
  await take('Signed in', APP_HOST, 1800);
  for (const context of [desktop, phoneContext]) await context.close();
  return moments;
}

/**
 * Shows the camera page with the other screen in its viewfinder. The request for the decoder script is never answered,
 * so that the page does not read the code.
 */
async function filmInto(phone: Page, screen: Page): Promise<void> {
  const context = phone.context();
  const browser = context.browser();
  if (browser === null) throw new Error('the phone has no browser');
  const camera = new CanvasCamera(browser);
  await camera.fitInto(context);
  const box = await screen.locator('[data-code]').boundingBox();
  if (box === null) throw new Error('there is no code');
  const margin = 70;
  const clip = { x: box.x - margin, y: box.y - margin, width: box.width + 2 * margin, height: box.height + 2 * margin };
  const viewport = screen.viewportSize() ?? { width: 0, height: 0 };
  const [x, y] = [Math.max(0, clip.x), Math.max(0, clip.y)];
  const [width, height] = [Math.min(clip.width, viewport.width - x), Math.min(clip.height, viewport.height - y)];
  camera.see(PNG.sync.read(await screen.screenshot({ clip: { x, y, width, height } })));
  await context.route('**/decoder.js', () => undefined);
  await phone.goto(`https://${PROVIDER_HOST}/qr/scan`);
  await phone.locator('[data-viewfinder]:not([hidden])').waitFor();
  await phone.getByRole('status').filter({ hasText: 'Place the QR code in the frame.' }).waitFor();
}

/** Returns a picture of these moments side by side, with the frames of a browser and a phone. */
async function compose(scene: Scene, moments: readonly Moment[], colorScheme: ColorScheme): Promise<Buffer> {
  const isRow = moments.length > 1;
  const viewport = isRow ? { width: 1560, height: 520 } : { width: 800, height: 540 };
  const context = await scene.open({ viewport, colorScheme });
  const page = await context.newPage();
  const image = (png: Buffer, kind: string): string =>
    `<img class="${kind}" alt="" src="data:image/png;base64,${png.toString('base64')}">`;
  const panels = moments.map(
    ({ caption, host, browser, phone }, index) => `<figure>
      <div class="stage">
        <div class="window"><div class="bar"><i></i><i></i><i></i><span>${host}</span></div>${image(browser, 'page')}</div>
        <div class="phone">${image(phone, 'hand')}</div>
      </div>
      <figcaption>${isRow ? `<b>${index + 1}</b> ` : ''}${caption}</figcaption>
    </figure>`,
  );
  await page.setContent(`<style>${STYLE}</style><body class="${isRow ? 'row' : 'one'}">${panels.join('')}`);
  const picture = await page.screenshot();
  await context.close();
  return picture;
}

const STYLE = `
  :root { --ground: #e7ecf2; --bar: #f7f9fb; --line: #c3ccd6; --ink: #16191d; --field: #e9edf2; --accent: #0b5cad; --on: #fff }
  @media (prefers-color-scheme: dark) {
    :root { --ground: #0d1117; --bar: #1d232b; --line: #3a434e; --ink: #eceff3; --field: #11161c; --accent: #6cb2ff; --on: #06233f }
  }
  * { box-sizing: border-box }
  body { margin: 0; padding: 24px; display: flex; gap: 24px; background: var(--ground); color: var(--ink);
    font: 600 20px/1.4 system-ui, sans-serif }
  figure { flex: 1; margin: 0; min-width: 0; display: flex; flex-direction: column; gap: 16px; align-items: center }
  .stage { position: relative; width: 100%; flex: 1 }
  .window { position: absolute; inset: 0 13% auto 0; border: 1px solid var(--line); border-radius: 10px; overflow: hidden;
    background: var(--bar); box-shadow: 0 10px 30px #0003 }
  .bar { display: flex; gap: 6px; align-items: center; padding: 8px 10px; font-size: 13px; font-weight: 500 }
  .bar i { width: 10px; height: 10px; border-radius: 50%; background: var(--line) }
  .bar span { flex: 1; margin-inline-start: 8px; padding: 2px 12px; border-radius: 99px; background: var(--field) }
  .page { display: block; width: 100% }
  .phone { position: absolute; inset: auto 0 0 auto; padding: 8px; border-radius: 26px; background: #16191d;
    border: 1px solid #4b5663; box-shadow: 0 12px 30px #0006 }
  .hand { display: block; width: auto; border-radius: 19px }
  .row .hand { height: 350px }
  .one .window { inset-inline-end: 22% }
  .one .hand { height: 400px }
  figcaption b { display: inline-grid; place-items: center; width: 28px; height: 28px; margin-inline-end: 6px;
    border-radius: 50%; background: var(--accent); color: var(--on); font-size: 16px }
`;
