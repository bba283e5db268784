import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { BrowserContext, Page, Request, Route } from 'playwright-core';
import { allOrFirst, inFullSuite } from '../support/full-suite.ts';
import { allow, askToSignIn, codeAfter, codeOn, errorOn, seeCode, seeScreen } from './acts.ts';
import { scanBeside } from './phones.ts';
import { ticketIn } from './qr-from-pixels.ts';
import type { Stage } from './stage.ts';
import { useStage } from './use-stage.ts';

const EVENTS = '**/qr/events?svg=no';
const LONG_POLL = '**/qr?after=*';
/** The ticket is shown, scanned and approved: the page has heard of its third version. */
const AFTER_APPROVED = '**/qr?after=3&*';
const POLL = /\/qr\?svg=no$/;
/** The interaction ends while the page, which is on its way to the app, still asks for it. */
const LATE_POLL = /404.*\/qr\?(after=\d+&)?svg=no\)$/;

describe('a browser that event streams do not reach', () => {
  const stage = useStage();

  beforeEach(() => stage().expectProblem(LATE_POLL));

  inFullSuite(() =>
    it('polls long for good where a proxy cuts the stream', async () => {
      stage().expectProblem(/ERR_FAILED/);
      const desktop = await stage().desktop();
      await desktop.route(EVENTS, (route) => route.abort());
      const asked = countRequests(desktop);
      await signInBy(stage(), desktop, { asks: LONG_POLL });
      // The browser tries again by itself, every few seconds, until the page has waited long enough by its own clock.
      expect(asked().streams).to.be.at.least(1);
    }),
  );

  it('polls where long polls are cut as well', async () => {
    stage().expectProblem(/503|ERR_FAILED/);
    const desktop = await stage().desktop();
    await desktop.route(EVENTS, (route) => route.fulfill({ status: 503 }));
    await desktop.route(LONG_POLL, (route) => route.abort());
    await signInBy(stage(), desktop, { asks: POLL });
  });

  it('goes on saying that it signs in until the app is there', async () => {
    stage().expectProblem(/503/);
    const desktop = await stage().desktop();
    const screens = await noteScreens(desktop);
    await desktop.route(EVENTS, (route) => route.fulfill({ status: 503 }));
    const screen = await askToSignIn(stage(), desktop);
    const phone = await scanBeside(stage(), screen);
    await seeScreen(screen, 'scanned');

    // The provider has ended the interaction, its answer is under way, and the page asks for its ticket once more.
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    let polled: Request | undefined;
    await desktop.route(AFTER_APPROVED, async (route) => {
      polled = route.request();
      await ended;
      await route.continue();
    });
    await desktop.route(`${stage().issuer}/auth/*`, async (route) => {
      const answer = await route.fetch({ maxRedirects: 0 });
      await desktop.unroute(`${stage().issuer}/auth/*`);
      end();
      // Until it is answered, or until the page has given it up.
      await polled?.response();
      await route.fulfill({ response: answer });
    });
    await phone.approve();
    await allow(screen);
    expect(polled).not.to.equal(undefined);
    expect(screens).to.deep.equal(['scanned', 'finishing']);
  });

  it('says so where the sign-in has ended meanwhile', async () => {
    stage().expectProblem(/503|404/);
    const desktop = await stage().desktop();
    await desktop.route(EVENTS, (route) => route.fulfill({ status: 503 }));
    const screen = await stage().open(desktop);
    const asked = screen.waitForRequest(LONG_POLL);
    await screen.goto(`${stage().rpUrl}/login`);
    await asked;
    await desktop.clearCookies({ name: '_interaction' });
    const phone = await scanBeside(stage(), screen);
    await seeScreen(screen, 'gone');
    await screen.getByRole('heading', { name: 'This sign-in has timed out' }).waitFor();
    expect(await screen.locator('[data-code]').isVisible()).to.equal(false);
    await phone.deny();
  });
});

describe('a browser that event streams do not reach, ever', () => {
  const stage = useStage();

  beforeEach(() => stage().expectProblem(LATE_POLL));

  it('polls long for good where a proxy holds the stream back', async () => {
    const desktop = await stage().desktop();
    await desktop.route(EVENTS, () => undefined);
    const asked = countRequests(desktop);
    await signInBy(stage(), desktop, { asks: LONG_POLL });
    const { streams, polls, longPolls } = asked();
    expect(streams).to.equal(1);
    expect(polls).to.equal(1);
    // One that waits, and one for each step that it was told of. The page's clock runs ahead here, so that there may be more.
    expect(longPolls).to.be.at.least(2);
  });

  const REFUSALS: Record<string, { status: number; contentType?: string }> = {
    'a status that says that there is none': { status: 404 },
    'a status that says that the server is in trouble': { status: 503 },
    'a page in its place': { status: 200, contentType: 'text/html' },
  };
  for (const [refusal, answer] of allOrFirst(Object.entries(REFUSALS))) {
    it(`polls long for good where the stream is refused for good, with ${refusal}, and asks no more than it must`, async () => {
      stage().expectProblem(/404|503|MIME type/);
      const desktop = await stage().desktop();
      await desktop.route(EVENTS, (route) => route.fulfill(answer));
      const asked = countRequests(desktop);
      const screen = await stage().open(desktop);
      const polled = screen.waitForRequest(LONG_POLL);
      await screen.goto(`${stage().rpUrl}/login`);
      await polled;
      const atFirst = asked();
      expect(atFirst).to.deep.equal({ streams: 4, polls: 4, longPolls: 1 });
      await (await scanBeside(stage(), screen)).approve();
      expect((await allow(screen)).sub).to.equal('a11ce');
      const { longPolls, ...others } = asked();
      expect(others).to.deep.equal({ streams: 4, polls: 4 });
      // A page that asks in a loop would have asked a hundred times meanwhile. It asks once, and once more at each step that it is told of.
      expect(longPolls).to.be.at.most(4);
    });
  }
});

describe('a browser whose server is in trouble', () => {
  const stage = useStage();

  beforeEach(() => stage().expectProblem(LATE_POLL));

  /** A page that listens to its stream. */
  const listen = async (desktop: BrowserContext): Promise<Page> => {
    const screen = await stage().open(desktop);
    const listening = screen.waitForResponse(EVENTS);
    await screen.goto(`${stage().rpUrl}/login`);
    expect((await listening).status()).to.equal(200);
    await seeCode(screen);
    return screen;
  };

  it('polls while the answer is 503, and listens to a stream again once there is another', async () => {
    stage().expectProblem(/503|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION/);
    const desktop = await stage().desktop();
    await desktop.clock.install();
    const asked = countRequests(desktop);
    const screen = await listen(desktop);
    expect(asked()).to.deep.equal({ streams: 1, polls: 0, longPolls: 0 });

    const trouble = { status: 503, headers: { 'retry-after': '2' }, body: 'try again' };
    await desktop.route(EVENTS, (route) => route.fulfill(trouble), { times: 1 });
    let polls = 0;
    const third = new Promise<Route>((resolve) => {
      void desktop.route(POLL, (route) => {
        polls += 1;
        return polls < 3 ? route.fulfill(trouble) : resolve(route);
      });
    });
    stage().cutConnections();
    const route = await hurry(screen, third);
    expect(asked()).to.deep.equal({ streams: 2, polls: 3, longPolls: 0 });
    // What the page shows meanwhile still works.
    expect(await screen.locator('[data-code]').isVisible()).to.equal(true);

    const listening = screen.waitForResponse((response) => response.url().includes('/events?') && response.ok());
    await route.continue();
    await listening;
    const back = asked();
    expect(back).to.deep.equal({ streams: 3, polls: 3, longPolls: 0 });
    await (await scanBeside(stage(), screen)).approve();
    expect((await allow(screen)).sub).to.equal('a11ce');
    expect(asked()).to.deep.equal(back);
  });

  it('waits for a server that is away, and goes on with its stream when that is back', async () => {
    stage().expectProblem(/ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION|ERR_EMPTY_RESPONSE/);
    const desktop = await stage().desktop();
    const asked = countRequests(desktop);
    const screen = await listen(desktop);
    const missed = screen.waitForEvent('requestfailed', (request) => request.url().includes('/events?'));
    await stage().goAway();
    await missed;
    const listening = screen.waitForResponse((response) => response.url().includes('/events?') && response.ok());
    await stage().comeBack();
    await listening;
    expect(asked().streams).to.be.at.least(2);
    await (await scanBeside(stage(), screen)).approve();
    expect((await allow(screen)).sub).to.equal('a11ce');
    expect(asked()).to.include({ polls: 0, longPolls: 0 });
  });

  it('renews its code as soon as the server is out of trouble, and not too busy', async () => {
    stage().expectProblem(/503|429/);
    const desktop = await stage().desktop();
    await desktop.clock.install();
    const screen = await listen(desktop);
    const code = await codeOn(screen);
    let refused = 0;
    await desktop.route('**/qr/renew?svg=no', (route) => {
      refused += 1;
      return refused <= 2 ? route.fulfill({ status: refused === 1 ? 503 : 429 }) : route.continue();
    });
    stage().clock.forward(121);
    const next = await hurry(screen, codeAfter(screen, code));
    expect(ticketIn(next)).not.to.equal(ticketIn(code));
    expect(refused).to.equal(3);
  });
});

describe('a browser that event streams do not reach, for longer than a code is good', () => {
  const stage = useStage({ rotation: 1 });

  it('shows the next code all the same', async () => {
    stage().expectProblem(/503/);
    const desktop = await stage().desktop();
    await desktop.route(EVENTS, (route) => route.fulfill({ status: 503 }));
    const screen = await askToSignIn(stage(), desktop);
    const code = await codeOn(screen);
    stage().clock.forward(1);
    const next = await codeAfter(screen, code);
    expect(ticketIn(next)).to.equal(ticketIn(code));
  });
});

describe('a browser whose network fails for a moment', () => {
  const stage = useStage();

  it('sends the sign-in again until it gets through', async () => {
    stage().expectProblem(/503|ERR_FAILED/);
    const desktop = await stage().desktop();
    await desktop.clock.install();
    let failures = 0;
    await desktop.route('**/qr/finish', (route) => {
      failures += 1;
      if (failures === 1) return route.abort();
      if (failures === 2) return route.fulfill({ status: 503 });
      return route.continue();
    });
    const screen = await askToSignIn(stage(), desktop);
    await (await scanBeside(stage(), screen)).approve();
    expect((await hurry(screen, allow(screen))).sub).to.equal('a11ce');
    expect(failures).to.equal(3);
  });

  it('is still sent back to the app where the answer to a denial got lost', async () => {
    stage().expectProblem(/ERR_FAILED/);
    const { screen, requests } = await loseFirstAnswer(stage());
    await (await scanBeside(stage(), screen)).deny();
    expect(await hurry(screen, errorOn(screen))).to.equal('access_denied');
    expect(requests()).to.equal(2);
  });

  // The short suite has the same with a check code: see check-code.test.ts.
  inFullSuite(() =>
    it('is still signed in where the answer to the sign-in got lost', async () => {
      stage().expectProblem(/ERR_FAILED/);
      const { screen, requests } = await loseFirstAnswer(stage());
      await (await scanBeside(stage(), screen)).approve();
      expect((await hurry(screen, allow(screen))).sub).to.equal('a11ce');
      expect(requests()).to.equal(2);
    }),
  );
});

/** Starts a sign-in in a browser that never gets the first answer to `finish`. Also returns a count of its requests to `finish`. */
async function loseFirstAnswer(stage: Stage): Promise<{ screen: Page; requests: () => number }> {
  const desktop = await stage.desktop();
  await desktop.clock.install();
  let requests = 0;
  await desktop.route('**/qr/finish', async (route) => {
    requests += 1;
    if (requests > 1) return route.continue();
    await route.fetch();
    return route.abort();
  });
  return { screen: await askToSignIn(stage, desktop), requests: () => requests };
}

/** How often the pages have asked for their ticket, and by which way. */
function countRequests(context: BrowserContext): () => { streams: number; polls: number; longPolls: number } {
  const counts = { streams: 0, polls: 0, longPolls: 0 };
  context.on('request', (request) => {
    if (request.url().includes('/qr/events?')) counts.streams += 1;
    else if (POLL.test(request.url())) counts.polls += 1;
    else if (request.url().includes('/qr?after=')) counts.longPolls += 1;
  });
  return () => ({ ...counts });
}

/** Signs in, once the page has asked for what it is to learn from. */
async function signInBy(stage: Stage, desktop: BrowserContext, { asks }: { asks: string | RegExp }): Promise<void> {
  await desktop.clock.install();
  const screen: Page = await stage.open(desktop);
  const asked = screen.waitForRequest(asks);
  await screen.goto(`${stage.rpUrl}/login`);
  await hurry(screen, asked);
  const phone = await scanBeside(stage, screen);
  await hurry(screen, seeScreen(screen, 'scanned'));
  await phone.approve();
  const claims = await hurry(screen, allow(screen));
  expect(claims).to.include({ iss: stage.issuer, sub: 'a11ce' });
}

/** Lets the time in the page run ahead of ours until what is awaited has come. The server and the browser itself have a time of their own. */
async function hurry<T>(page: Page, awaited: Promise<T>): Promise<T> {
  let isOver = false;
  const over = awaited.finally(() => {
    isOver = true;
  });
  over.catch(() => undefined);
  while (!isOver) {
    // The page may be on its way to the next one.
    await page.clock.fastForward(500).catch(() => undefined);
    await pause(20);
  }
  return over;
}

/** The parts of the QR page that were shown one after the other, from the second one on. */
async function noteScreens(desktop: BrowserContext): Promise<string[]> {
  const screens: string[] = [];
  await desktop.exposeBinding('noteScreen', (_source, screen: string) => screens.push(screen));
  await desktop.addInitScript(
    `new MutationObserver(([change]) => noteScreen(change.target.dataset.screen))
       .observe(document, { subtree: true, attributeFilter: ['data-screen'] });`,
  );
  return screens;
}
