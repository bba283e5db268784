import { expect } from 'chai';
import type { BrowserContext, Page, Route } from 'playwright-core';
import { allOrFirst } from '../support/full-suite.ts';
import { allow, askToSignIn, codeOn, seeScreen } from './acts.ts';
import { scanBeside } from './phones.ts';
import { readCode, readCodeOtherThan, reading, ticketIn } from './qr-from-pixels.ts';
import type { Stage } from './stage.ts';
import { useStage } from './use-stage.ts';

const PEN = /\/qr\/assets\/(draw-code|encoder)\.js/;
const ENCODER = '**/qr/assets/encoder.js';
/** The server is asked to draw. */
const PICTURE = /\/interaction\/[^/]+\/qr$/;
const ROTATION = 10;

describe('the page draws', () => {
  const stage = useStage();

  it('each code but the first by itself: black on white, the newest that there is, and a phone signs in with it', async () => {
    const { screen, asked, events } = await watched(stage(), await stage().desktop());
    const code = await readCode(screen);
    expect(asked(PEN)).to.deep.equal([]);

    await rotate(stage(), screen, code);
    const { url, quietZoneIsWhite } = await reading(screen);
    expect(url).to.equal(await newestCode(screen));
    expect(quietZoneIsWhite).to.equal(true);
    expect(asked(PEN)).to.have.length(2);
    expect(asked(PICTURE)).to.deep.equal([]);
    expect(events).to.have.length.at.least(2);
    for (const { qr } of events) expect(qr).to.have.property('url').and.not.to.have.property('svg');

    await signIn(stage(), screen);
  });

  it('what it was made with no second time', async () => {
    const desktop = await stage().desktop();
    await desktop.addInitScript(
      `addEventListener('DOMContentLoaded', () => {
        window.drawn = 0;
        const code = document.querySelector('[data-code]');
        if (code) new MutationObserver(() => { window.drawn += 1 }).observe(code, { childList: true });
      });`,
    );
    const { screen, events } = await watched(stage(), desktop);
    const code = await codeOn(screen);
    await rotate(stage(), screen, code);
    const codes = new Set([code, ...events.map(({ qr }) => qr?.url)]);
    expect(await screen.evaluate('window.drawn')).to.equal(codes.size - 1);
  });

  it('the newest, where another one came while it learned how', async () => {
    const desktop = await stage().desktop();
    const held = hold(desktop, ENCODER);
    await held.ready;
    const { screen, events } = await watched(stage(), desktop);
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

describe('the page that cannot draw', () => {
  const stage = useStage();

  beforeEach(() => stage().expectProblem(/ERR_FAILED|503/));

  const WAYS: Record<string, (context: BrowserContext) => Promise<unknown>> = {
    'because what draws is blocked': (context) => context.route(ENCODER, (route) => route.abort()),
    'because what draws does not arrive': (context) => context.route(ENCODER, () => undefined),
    'because what draws is of another release': (context) =>
      context.route(ENCODER, (route) =>
        route.fulfill({ contentType: 'text/javascript', body: 'export const old = 1;' }),
      ),
    'because what draws fails': (context) =>
      context.route(ENCODER, (route) =>
        route.fulfill({ contentType: 'text/javascript', body: 'export function encodeQR() { throw new Error(); }' }),
      ),
  };
  for (const [why, cause] of allOrFirst(Object.entries(WAYS))) {
    it(`${why} shows what the server draws, and a phone signs in with it`, async () => {
      const desktop = await stage().desktop();
      await cause(desktop);
      const { screen, asked } = await watched(stage(), desktop);
      const code = await codeOn(screen);
      const next = await rotate(stage(), screen, code);
      expect(next).to.equal(await newestCode(screen));
      await rotate(stage(), screen, next);
      expect(asked(PICTURE)).to.have.length(2);
      await signIn(stage(), screen);
    });
  }

  it('asks the server again where that is in trouble', async () => {
    const desktop = await stage().desktop();
    await desktop.route(ENCODER, (route) => route.abort());
    await desktop.route(PICTURE, (route) => route.fulfill({ status: 503 }), { times: 1 });
    const { screen, asked } = await watched(stage(), desktop);
    const code = await codeOn(screen);
    await rotate(stage(), screen, code);
    expect(asked(PICTURE)).to.have.length(2);
  });

  it('shows none rather than that of another ticket', async () => {
    const desktop = await stage().desktop();
    await desktop.route(ENCODER, (route) => route.abort());
    const held = hold(desktop, PICTURE);
    await held.ready;
    const { screen } = await watched(stage(), desktop);
    const code = await codeOn(screen);
    stage().clock.forward(121);
    const route = await held.first;
    await seeScreen(screen, 'waiting');
    expect(await screen.locator('[data-code] svg').count()).to.equal(0);
    await route.continue();
    expect(ticketIn(await readCodeOtherThan(screen, code))).not.to.equal(ticketIn(code));
  });

  it('waits for no picture of a ticket that is over', async () => {
    const desktop = await stage().desktop();
    await desktop.route(ENCODER, (route) => route.abort());
    const held = hold(desktop, PICTURE);
    await held.ready;
    const { screen } = await watched(stage(), desktop);
    const code = await codeOn(screen);
    stage().clock.forward(ROTATION);
    await held.first;
    stage().clock.forward(121);
    const next = await readCodeOtherThan(screen, code);
    expect(ticketIn(next)).not.to.equal(ticketIn(code));
    expect(next).to.equal(await newestCode(screen));
  });
});

interface Watched {
  readonly screen: Page;
  /** The requests so far whose URL is like that. */
  readonly asked: (url: RegExp) => string[];
  /** What the stream has said so far. */
  readonly events: { readonly qr?: { readonly url: string } }[];
}

const NEWS = 'the stream has said something';
const isNews = (message: { text: () => string }): boolean => message.text() === NEWS;

/** A QR page in its first moments. */
async function watched(stage: Stage, desktop: BrowserContext): Promise<Watched> {
  const urls: string[] = [];
  const events: Watched['events'] = [];
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

/** Waits for the code that comes after this one. */
async function rotate(stage: Stage, screen: Page, code: string): Promise<string> {
  stage.clock.forward(ROTATION);
  return readCodeOtherThan(screen, code);
}

/** As the server has it. */
function newestCode(screen: Page): Promise<string> {
  return screen.evaluate<string>(
    `fetch(location.pathname + '/qr?svg=no').then((answer) => answer.json()).then(({ qr }) => qr.url)`,
  );
}

/** The first request for this does not go through until somebody lets it. */
function hold(context: BrowserContext, url: string | RegExp): { ready: Promise<unknown>; first: Promise<Route> } {
  let catchIt: (route: Route) => void = () => undefined;
  const first = new Promise<Route>((resolve) => {
    catchIt = resolve;
  });
  return { ready: context.route(url, (route) => catchIt(route), { times: 1 }), first };
}

async function signIn(stage: Stage, screen: Page): Promise<void> {
  await (await scanBeside(stage, screen)).approve();
  expect((await allow(screen)).sub).to.equal('a11ce');
}
