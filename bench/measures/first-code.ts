/** Measures how long a browser on a slow network waits for the first code. */
import type { Browser } from 'playwright-core';
import { closeChromium, openChromium } from '../../test/chromium/chromium.ts';
import type { Goal, Measure, Result } from '../measure.ts';
import { start } from '../programs.ts';
import { RP } from '../servers/clients.ts';
import { authorizationPath } from '../sign-ins/authorization.ts';
import { percentile, rounded } from '../statistics.ts';

const SIZES = { full: { loads: 7 }, quick: { loads: 1 } } as const;

/** The presets of Chromium's developer tools. `latency` is the time that they add to each request, in milliseconds. */
const NETWORKS = {
  'Fast 3G': { latency: 562.5, kilobits: 1_440 },
  'Slow 3G': { latency: 2_000, kilobits: 400 },
} as const;
const BYTES_PER_KILOBIT = 125;
/** The promise: one round trip for the page, and one for what does not fit into TCP's initial window. */
const MAX_ROUND_TRIPS = 2;

interface FirstCode {
  /** Milliseconds from the authorization request, to which the RP has redirected the browser. */
  readonly inAll: number;
  /** Milliseconds from the answer to that request, which redirects the browser to the page. */
  readonly afterRedirect: number;
}

/**
 * Notes when the code was on the screen: in the frame after the one in which it was laid out. No frame is drawn while a
 * request blocks the rendering.
 */
const NOTE_FIRST_CODE = `window.firstCode = new Promise((resolve) => {
  const look = () => {
    const code = document.querySelector('[data-code] svg');
    requestAnimationFrame(code && code.getBoundingClientRect().width > 0 ? resolve : look);
  };
  requestAnimationFrame(look);
})`;

export const firstCode: Measure = async (size): Promise<Result> => {
  const server = await start('servers/provider.ts', {});
  try {
    const url = `${await server.ask<string>('url')}${authorizationPath(RP)}`;
    const browser = await openChromium();
    // The first page that a process opens is slower.
    await load(browser, url);
    const goals: Goal[] = [];
    const rows: (string | number)[][] = [];
    for (const [name, network] of Object.entries(NETWORKS)) {
      const codes: FirstCode[] = [];
      for (let n = 0; n < SIZES[size].loads; n += 1) codes.push(await load(browser, url, network));
      const inAll = percentile(
        codes.map((code) => code.inAll),
        0.5,
      );
      const afterRedirect = percentile(
        codes.map((code) => code.afterRedirect),
        0.5,
      );
      const trips = afterRedirect / network.latency;
      goals.push({
        name: `First code after the redirect, ${name}`,
        ours: trips,
        unit: 'round trips',
        limit: MAX_ROUND_TRIPS,
      });
      rows.push([name, network.latency, network.kilobits, ...[inAll, afterRedirect, trips].map(rounded)]);
    }
    return {
      goals,
      tables: [
        {
          title: 'First code on the screen',
          columns: ['network', 'latency, ms', 'kbit/s', 'from the app, ms', 'from the redirect, ms', 'round trips'],
          rows,
          note: `Median of ${SIZES[size].loads} loads in Chromium with an empty cache. "From the app" includes the authorization request, whose answer is the redirect.`,
        },
      ],
      charts: [],
    };
  } finally {
    await closeChromium();
    await server.stop();
  }
};

/** Opens the page with an empty cache. @param network by default the machine's own */
async function load(
  browser: Browser,
  url: string,
  network?: { readonly latency: number; readonly kilobits: number },
): Promise<FirstCode> {
  const context = await browser.newContext({ viewport: { width: 1366, height: 650 } });
  try {
    await context.addInitScript(NOTE_FIRST_CODE);
    const page = await context.newPage();
    if (network !== undefined) {
      const session = await context.newCDPSession(page);
      const throughput = network.kilobits * BYTES_PER_KILOBIT;
      const limits = { latency: network.latency, downloadThroughput: throughput, uploadThroughput: throughput };
      await session.send('Network.enable');
      await session.send('Network.emulateNetworkConditions', { offline: false, ...limits });
    }
    await page.goto(url, { waitUntil: 'commit' });
    return await page.evaluate<FirstCode>(
      `firstCode.then((at) => ({
        inAll: at,
        afterRedirect: at - performance.getEntriesByType('navigation')[0].redirectEnd,
      }))`,
    );
  } finally {
    await context.close();
  }
}
