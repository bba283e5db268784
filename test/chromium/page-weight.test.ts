import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { StillClock } from '../support/clock.ts';
import { askToSignIn } from './acts.ts';
import { useStage } from './use-stage.ts';

const KILOBYTE = 1024;

interface Load {
  readonly path: string;
  /** Bytes over the wire, headers included. */
  readonly bytes: number;
}

describe('the QR page loads', () => {
  // With all that it may show, and in the language that takes most. What draws the next code is not loaded before there is one.
  const stage = useStage({ shortCode: true, clock: new StillClock().now }, { passkeys: true });

  it('in at most 20 KB over the wire and seven requests, stream and icon included', async () => {
    const desktop = await stage().desktop({ locale: 'ar' });
    const act = async (): Promise<void> => {
      const screen = await askToSignIn(stage(), desktop);
      // Without a window nobody sees the icon, and Chromium leaves it out.
      await screen.evaluate(`fetch(document.querySelector('link[rel=icon]').href).then((icon) => icon.text())`);
    };
    const loads = await loadsOf(desktop, act, stage().issuer);
    const total = loads.reduce((sum, { bytes }) => sum + bytes, 0);
    const said = loads.map(({ path, bytes }) => `${bytes} ${path}`).join('\n');
    expect(total, said).to.be.within(5 * KILOBYTE, 20 * KILOBYTE);
    expect(loads, said).to.have.length.within(4, 7);
  });

  it('nothing a second time but itself: the rest is kept, or asked for only whether it is the same', async () => {
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

/** What a browser loads from the provider until the page stands. */
async function loadsOf(context: BrowserContext, act: () => Promise<unknown>, origin: string): Promise<Load[]> {
  const loads: Promise<Load | undefined>[] = [];
  const note = async (page: Page): Promise<void> => {
    await page.waitForLoadState('load');
  };
  context.on('requestfinished', (request) => {
    const { origin: from, pathname } = new URL(request.url());
    if (from !== origin || !/\/(interaction|qr)\//.test(pathname)) return;
    loads.push(
      request.sizes().then(({ responseBodySize, responseHeadersSize }) => ({
        path: pathname,
        bytes: responseBodySize + responseHeadersSize,
      })),
    );
  });
  await act();
  for (const page of context.pages()) await note(page);
  return (await Promise.all(loads)).filter((load) => load !== undefined);
}
