import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { PNG } from 'pngjs';
import { UNKNOWN_CODE } from '../support/codes.ts';
import { allow, approve, arriveAtConfirm, askToSignIn, giveName, signedInPhone } from './acts.ts';
import { draw, FakeCamera, photograph } from './fake-camera.ts';
import { useStage } from './use-stage.ts';

const start = (page: Page) => page.getByRole('button', { name: 'Start the camera' });
const says = (page: Page, text: string) => page.getByRole('status').filter({ hasText: text }).waitFor();
const LOOKING = 'Hold the code into the frame.';
const FOREIGN = 'This is not a code of Example ID.';

describe('the camera in the page', () => {
  const stage = useStage({ rotation: 60 });
  let camera: FakeCamera;

  before(async function () {
    this.timeout(60_000);
    camera = await FakeCamera.open();
  });

  after(() => camera.close());

  /** A phone whose person has let the page use the camera before. */
  const phone = async (): Promise<BrowserContext> => {
    const context = await signedInPhone(stage(), camera.browser);
    await context.grantPermissions(['camera']);
    return context;
  };
  const scanPage = async (): Promise<Page> => stage().open(await phone(), `${stage().issuer}/qr/scan`);

  it('scans the code that another browser shows, and approves', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    camera.see(PNG.sync.read(await photograph(screen)));
    const hand = await scanPage();
    await arriveAtConfirm(hand);
    await approve(hand);
    expect((await allow(screen)).sub).to.equal('a11ce');
  });
});
