import type { BrowserContext, Page } from 'playwright-core';
import { signedInPhone } from './acts.ts';
import { FakeCamera } from './fake-camera.ts';
import type { Stage } from './stage.ts';

export interface CameraPhones {
  readonly camera: () => FakeCamera;
  /** A phone whose person has let the page use the camera before. */
  readonly phone: () => Promise<BrowserContext>;
  readonly scanUrl: () => string;
  /** The page with the camera, on such a phone. */
  readonly scanPage: () => Promise<Page>;
}

/** Opens a Chromium with a camera for this suite. */
export function useCamera(stage: () => Stage): CameraPhones {
  let opened: FakeCamera | undefined;

  before(async function () {
    this.timeout(60_000);
    opened = await FakeCamera.open();
  });

  after(() => opened?.close());

  const camera = (): FakeCamera => {
    if (opened === undefined) throw new Error('there is a camera in tests only');
    return opened;
  };
  const phone = async (): Promise<BrowserContext> => {
    const context = await signedInPhone(stage(), camera().browser);
    await context.grantPermissions(['camera']);
    return context;
  };
  const scanUrl = (): string => `${stage().issuer}/qr/scan`;
  return { camera, phone, scanUrl, scanPage: async () => stage().open(await phone(), scanUrl()) };
}
