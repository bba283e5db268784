import { expect } from 'chai';
import type { BrowserContext, Page, Route } from 'playwright-core';
import { allOrFirst } from '../support/full-suite.ts';
import { allow, askToSignIn, codeOn, seeScreen } from './acts.ts';
import { scanBeside } from './phones.ts';
import { readCode, readCodeOtherThan, readQrCode, ticketIn } from './qr-from-pixels.ts';
import type { Stage } from './stage.ts';
import { useStage } from './use-stage.ts';

const DRAWING_SCRIPT = /\/qr\/assets\/draw-code\.js/;
const DRAWING_SCRIPT_URL = '**/qr/assets/draw-code.js';
/** A request for a picture from the server. */
const PICTURE = /\/interaction\/[^/]+\/qr$/;
const ROTATION = 10;

describe('the QR page', () => {
  const stage = useStage();

  it('draws each code except the first, black on white, and a phone signs in with the newest code', async () => {
    const { screen, asked, events } = await openWatchedPage(stage(), await stage().desktop());
    const code = await readCode(screen);
    expect(asked(DRAWING_SCRIPT)).to.deep.equal([]);

    await rotate(stage(), screen, code);
    const { url, quietZoneIsWhite } = await readQrCode(screen);
    expect(url).to.equal(await newestCode(screen));
    expect(quietZoneIsWhite).to.equal(true);
    expect(asked(DRAWING_SCRIPT)).to.have.length(1);
    expect(asked(PICTURE)).to.deep.equal([]);
    expect(events).to.have.length.at.least(2);
    for (const { qr } of events) expect(qr).to.have.property('url').and.not.to.have.property('svg');

    await signIn(stage(), screen);
  });

  it('does not redraw the QR code that its HTML already contains', async () => {
    const desktop = await stage().desktop();
    await desktop.addInitScript(
      `addEventListener('DOMContentLoaded', () => {
        window.drawn = 0;
        const code = document.querySelector('[data-code]');
        if (code) new MutationObserver(() => { window.drawn += 1 }).observe(code, { childList: true });
      });`,
    );
    const { screen, events } = await openWatchedPage(stage(), desktop);
    const code = await codeOn(screen);
    await rotate(stage(), screen, code);
    const codes = new Set([code, ...events.map(({ qr }) => qr?.url)]);
    expect(await screen.evaluate('window.drawn')).to.equal(codes.size - 1);
  });

  it('draws the newest code if another one arrives while the drawing script loads', async () => {
    const desktop = await stage().desktop();
    const held = hold(desktop, DRAWING_SCRIPT_URL);
    await held.ready;
    const { screen, events } = await openWatchedPage(stage(), desktop);
    const code = await codeOn(screen);
    stage().clock.forward(ROTATION);
    const route = await held.first;
    const heard = events.length;
    stage().clock.forward(ROTATION);
    while (events.length === heard) await screen.waitForEvent('console', { predicate: isNews });
    await route.continue();
    expect(await readCodeOtherThan(screen, code)).to.equal(await newestCode(screen));
  });
});

describe('a QR page that cannot draw', () => {
  const stage = useStage();

  beforeEach(() => stage().expectProblem(/ERR_FAILED|503/));

  const WAYS: Record<string, (context: BrowserContext) => Promise<unknown>> = {
    'because the drawing script is blocked': (context) => context.route(DRAWING_SCRIPT_URL, (route) => route.abort()),
    'because the drawing script does not arrive': (context) => context.route(DRAWING_SCRIPT_URL, () => undefined),
    'because the drawing script is of another release': (context) =>
      context.route(DRAWING_SCRIPT_URL, (route) =>
        route.fulfill({ contentType: 'text/javascript', body: 'export const old = 1;' }),
      ),
    'because `drawCode` returns no picture': (context) =>
      context.route(DRAWING_SCRIPT_URL, (route) =>
        route.fulfill({ contentType: 'text/javascript', body: 'export function drawCode() {}' }),
      ),
  };
  for (const [why, cause] of allOrFirst(Object.entries(WAYS))) {
    it(`${why} shows a picture from the server, and a phone signs in with it`, async () => {
      const desktop = await stage().desktop();
      await cause(desktop);
      const { screen, asked } = await openWatchedPage(stage(), desktop);
      const code = await codeOn(screen);
      const next = await rotate(stage(), screen, code);
      expect(next).to.equal(await newestCode(screen));
      await rotate(stage(), screen, next);
      expect(asked(PICTURE)).to.have.length(2);
      await signIn(stage(), screen);
    });
  }

  it('asks the server again after a 503', async () => {
    const desktop = await stage().desktop();
    await desktop.route(DRAWING_SCRIPT_URL, (route) => route.abort());
    await desktop.route(PICTURE, (route) => route.fulfill({ status: 503 }), { times: 1 });
    const { screen, asked } = await openWatchedPage(stage(), desktop);
    const code = await codeOn(screen);
    await rotate(stage(), screen, code);
    expect(asked(PICTURE)).to.have.length(2);
  });

  it('shows no code after a renewal until the picture for the new ticket arrives', async () => {
    const desktop = await stage().desktop();
    await desktop.route(DRAWING_SCRIPT_URL, (route) => route.abort());
    const held = hold(desktop, PICTURE);
    await held.ready;
    const { screen } = await openWatchedPage(stage(), desktop);
    const code = await codeOn(screen);
    stage().clock.forward(121);
    const route = await held.first;
    await seeScreen(screen, 'waiting');
    expect(await screen.locator('[data-code] svg').count()).to.equal(0);
    await route.continue();
    expect(ticketIn(await readCodeOtherThan(screen, code))).not.to.equal(ticketIn(code));
  });

  it('does not wait for the picture of a ticket that has expired', async () => {
    const desktop = await stage().desktop();
    await desktop.route(DRAWING_SCRIPT_URL, (route) => route.abort());
    const held = hold(desktop, PICTURE);
    await held.ready;
    const { screen } = await openWatchedPage(stage(), desktop);
    const code = await codeOn(screen);
    stage().clock.forward(ROTATION);
    await held.first;
    stage().clock.forward(121);
    const next = await readCodeOtherThan(screen, code);
    expect(ticketIn(next)).not.to.equal(ticketIn(code));
    expect(next).to.equal(await newestCode(screen));
  });
});

interface WatchedPage {
  readonly screen: Page;
  /** Returns the URLs of all requests so far that match. */
  readonly asked: (url: RegExp) => string[];
  /** Returns all events of the stream so far. */
  readonly events: { readonly qr?: { readonly url: string } }[];
}

const NEWS = 'an event has arrived';
const isNews = (message: { text: () => string }): boolean => message.text() === NEWS;

/** Opens a QR page, and records its requests and events. */
async function openWatchedPage(stage: Stage, desktop: BrowserContext): Promise<WatchedPage> {
  const urls: string[] = [];
  const events: WatchedPage['events'] = [];
  desktop.on('request', (request) => urls.push(request.url()));
  desktop.once('page', async (page) => {
    const session = await desktop.newCDPSession(page);
    session.on('Network.eventSourceMessageReceived', ({ data }) => {
      events.push(JSON.parse(data));
      void page.evaluate(`console.log('${NEWS}')`).catch(() => undefined);
    });
    await session.send('Network.enable');
  });
  const screen = await askToSignIn(stage, desktop);
  return { screen, events, asked: (url) => urls.filter((one) => url.test(one)) };
}

/** Moves the clock to the next rotation, and waits for the code after this one. */
async function rotate(stage: Stage, screen: Page, code: string): Promise<string> {
  stage.clock.forward(ROTATION);
  return readCodeOtherThan(screen, code);
}

/** Returns the current code of the server. */
function newestCode(screen: Page): Promise<string> {
  return screen.evaluate<string>(
    `fetch(location.pathname + '/qr?svg=no').then((answer) => answer.json()).then(({ qr }) => qr.url)`,
  );
}

/** Holds the first request for this URL back until the test continues its route. */
function hold(context: BrowserContext, url: string | RegExp): { ready: Promise<unknown>; first: Promise<Route> } {
  let onRoute: (route: Route) => void = () => undefined;
  const first = new Promise<Route>((resolve) => {
    onRoute = resolve;
  });
  return { ready: context.route(url, (route) => onRoute(route), { times: 1 }), first };
}

async function signIn(stage: Stage, screen: Page): Promise<void> {
  await (await scanBeside(stage, screen)).approve();
  expect((await allow(screen)).sub).to.equal('a11ce');
}
