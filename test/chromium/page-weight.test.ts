import { expect } from 'chai';
import type { BrowserContext, Page, Request } from 'playwright-core';
import { StillClock } from '../support/clock.ts';
import { askToSignIn } from './acts.ts';
import { useStage } from './use-stage.ts';

const KILOBYTE = 1024;

interface Load {
  readonly path: string;
  /** The bytes over the wire, including headers. */
  readonly bytes: number;
}

describe('the QR page', () => {
  // The heaviest page: it has every optional part, in the language with the most bytes. The drawing script loads only
  // with the second code.
  const stage = useStage({ shortCode: true, clock: new StillClock().now }, { passkeys: true });

  // The size varies by up to 0.1 KB, because the number of lines in a drawn code varies.
  it('loads in at most 20 KB over the wire and four requests, including stream and icon', async () => {
    const desktop = await stage().desktop({ locale: 'ar' });
    const act = async (): Promise<void> => {
      const screen = await askToSignIn(stage(), desktop);
      // Chromium without a window does not load the icon.
      await screen.evaluate(`fetch(document.querySelector('link[rel=icon]').href).then((icon) => icon.text())`);
    };
    const loads = await loadsOf(desktop, act, stage().issuer);
    const total = loads.reduce((sum, { bytes }) => sum + bytes, 0);
    const list = loads.map(({ path, bytes }) => `${bytes} ${path}`).join('\n');
    expect(total, list).to.be.within(5 * KILOBYTE, 20 * KILOBYTE);
    expect(loads, list).to.have.length.within(3, 4);
  });

  it('loads no asset again on a reload: assets are cached, or revalidated', async () => {
    const desktop = await stage().desktop();
    const screen = await askToSignIn(stage(), desktop);
    const loads = await loadsOf(desktop, () => screen.reload(), stage().issuer);
    const fetched = loads.filter(({ path }) => path.includes('/assets/'));
    expect(
      fetched.every(({ bytes }) => bytes < KILOBYTE),
      JSON.stringify(fetched),
    ).to.equal(true);
  });
});

/** Returns the responses that the browser loads from the provider until its pages have loaded. */
async function loadsOf(context: BrowserContext, act: () => Promise<unknown>, origin: string): Promise<Load[]> {
  const loads: Promise<Load | undefined>[] = [];
  const waitForLoad = (page: Page): Promise<void> => page.waitForLoadState('load');
  const record = (request: Request): void => {
    const { origin: from, pathname } = new URL(request.url());
    if (from !== origin || !/\/(interaction|qr)\//.test(pathname)) return;
    loads.push(
      request.sizes().then(({ responseBodySize, responseHeadersSize }) => ({
        path: pathname,
        bytes: responseBodySize + responseHeadersSize,
      })),
    );
  };
  context.on('requestfinished', record);
  await act();
  for (const page of context.pages()) await waitForLoad(page);
  // The stream ends when the page is closed, and the size of a closed page's request cannot be read.
  context.off('requestfinished', record);
  return (await Promise.all(loads)).filter((load) => load !== undefined);
}
