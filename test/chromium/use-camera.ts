import type { BrowserContext, Page } from 'playwright-core';
import { isFullSuite } from '../support/full-suite.ts';
import { openChromium } from './chromium.ts';
import { type Camera, CanvasCamera, FakeCamera } from './fake-camera.ts';
import { signedInPhone } from './phones.ts';
import type { Stage } from './stage.ts';

/** The longest time that the launch of Chromium may take, even on a busy machine. */
const LAUNCH_MS = 120_000;

export interface CameraPhones {
  readonly camera: () => Camera;
  /** Opens a phone with a camera that no page may use yet. */
  readonly newPhone: () => Promise<BrowserContext>;
  /** Opens a phone with a camera that the page may use. */
  readonly phone: () => Promise<BrowserContext>;
  readonly scanUrl: () => string;
  /** Opens the scan page on a phone with a camera that the page may use. */
  readonly scanPage: () => Promise<Page>;
}

/**
 * Opens a camera for this suite.
 * @param open by default Chromium's own camera in the full suite, a canvas in the short one
 */
export function useCamera(
  stage: () => Stage,
  open: () => Promise<Camera> = async () => (isFullSuite ? FakeCamera.open() : new CanvasCamera(await openChromium())),
): CameraPhones {
  let opened: Camera | undefined;

  before(async function () {
    this.timeout(LAUNCH_MS);
    opened = await open();
  });

  after(() => opened?.close());

  const camera = (): Camera => {
    if (opened === undefined) throw new Error('the camera exists only while a test runs');
    return opened;
  };
  const newPhone = async (): Promise<BrowserContext> => {
    const context = await signedInPhone(stage(), { browser: camera().browser });
    await camera().fitInto(context);
    return context;
  };
  const phone = async (): Promise<BrowserContext> => {
    const context = await newPhone();
    await context.grantPermissions(['camera']);
    return context;
  };
  const scanUrl = (): string => `${stage().issuer}/qr/scan`;
  return { camera, newPhone, phone, scanUrl, scanPage: async () => stage().open(await phone(), scanUrl()) };
}
