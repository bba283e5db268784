import type { BrowserContext, Page } from 'playwright-core';
import { isFullSuite } from '../support/full-suite.ts';
import { openChromium } from './chromium.ts';
import { type Camera, CanvasCamera, FakeCamera } from './fake-camera.ts';
import { signedInPhone } from './phones.ts';
import type { Stage } from './stage.ts';

/** To launch a Chromium takes a while when the machine is busy. */
const LONGEST_MS = 120_000;

export interface CameraPhones {
  readonly camera: () => Camera;
  /** A phone with a camera that no page has been allowed to use yet. */
  readonly newPhone: () => Promise<BrowserContext>;
  /** A phone whose person has let the page use the camera before. */
  readonly phone: () => Promise<BrowserContext>;
  readonly scanUrl: () => string;
  /** The page with the camera, on such a phone. */
  readonly scanPage: () => Promise<Page>;
}

/** Opens a camera for this suite. @param open Chromium's own in the full suite by default, and a canvas in the short one */
export function useCamera(
  stage: () => Stage,
  open: () => Promise<Camera> = async () => (isFullSuite ? FakeCamera.open() : new CanvasCamera(await openChromium())),
): CameraPhones {
  let opened: Camera | undefined;

  before(async function () {
    this.timeout(LONGEST_MS);
    opened = await open();
  });

  after(() => opened?.close());

  const camera = (): Camera => {
    if (opened === undefined) throw new Error('there is a camera in tests only');
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
