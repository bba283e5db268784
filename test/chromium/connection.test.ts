import { expect } from 'chai';
import type { BrowserContext, Page, Request, Route } from 'playwright-core';
import { allOrFirst, inFullSuite } from '../support/full-suite.ts';
import { allow, askToSignIn, codeAfter, codeOn, errorOn, hurry, seeCode, seeScreen } from './acts.ts';
import { scanBeside } from './phones.ts';
import { ticketIn } from './qr-from-pixels.ts';
import type { Stage } from './stage.ts';
import { useStage } from './use-stage.ts';

const EVENTS = '**/qr/events?svg=no';
const LONG_POLL = '**/qr?after=*';
/** A long poll of a page that has received the third version of the ticket: shown, scanned, approved. */
const AFTER_APPROVED = '**/qr?after=3&*';
const POLL = /\/qr\?svg=no$/;
/** The console error if the interaction ends during a poll, while the page is leaving for the app. */
const LATE_POLL = /404.*\/qr\?(after=\d+&)?svg=no\)$/;

describe('a browser that event streams do not reach', () => {
  const stage = useStage();

  beforeEach(() => stage().expectProblem(LATE_POLL));

  inFullSuite(() =>
    it('uses long polls until the end if a proxy cuts the stream', async () => {
      stage().expectProblem(/ERR_FAILED/);
      const desktop = await stage().desktop();
      await desktop.route(EVENTS, (route) => route.abort());
      const asked = countRequests(desktop);
      await signInBy(stage(), desktop, { asks: LONG_POLL });
      // The browser reconnects automatically every few seconds, until the page's own time-out has passed.
      expect(asked().streams).to.be.at.least(1);
    }),
  );

  it('polls if a proxy also cuts long polls', async () => {
    stage().expectProblem(/503|ERR_FAILED/);
    const desktop = await stage().desktop();
    await desktop.route(EVENTS, (route) => route.fulfill({ status: 503 }));
    await desktop.route(LONG_POLL, (route) => route.abort());
    await signInBy(stage(), desktop, { asks: POLL });
  });

  it('keeps showing that it signs in until the app has loaded', async () => {
    stage().expectProblem(/503/);
    const desktop = await stage().desktop();
    const screens = await recordScreens(desktop);
    await desktop.route(EVENTS, (route) => route.fulfill({ status: 503 }));
    const screen = await askToSignIn(stage(), desktop);
    const phone = await scanBeside(stage(), screen);
    await seeScreen(screen, 'scanned');

    // The page sends another long poll after the provider has ended the interaction, and before its response arrives.
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
      // Waits until the poll is answered, or until the page has aborted it.
      await polled?.response();
      await route.fulfill({ response: answer });
    });
    await phone.approve();
    await allow(screen);
    expect(polled).not.to.equal(undefined);
    expect(screens).to.deep.equal(['scanned', 'finishing']);
  });

  it('shows that the sign-in has ended and that another tab may have finished it', async () => {
    stage().expectProblem(/503|404/);
    const desktop = await stage().desktop();
    await desktop.route(EVENTS, (route) => route.fulfill({ status: 503 }));
    const screen = await stage().open(desktop);
    const asked = screen.waitForRequest(LONG_POLL);
    await screen.goto(`${stage().rpUrl}/login`);
    await asked;
    await desktop.clearCookies({ name: '_interaction' });
    const phone = await scanBeside(stage(), screen);
    await screen.locator('[data-error=no_interaction]').filter({ hasText: 'This sign-in has timed out' }).waitFor();
    await screen.getByRole('link', { name: /^Back to/ }).waitFor();
    await phone.deny();
  });
});

describe('a browser whose event streams are delayed or refused from the beginning', () => {
  const stage = useStage();

  beforeEach(() => stage().expectProblem(LATE_POLL));

  it('uses long polls until the end if a proxy delays the stream', async () => {
    const desktop = await stage().desktop();
    await desktop.route(EVENTS, () => undefined);
    const asked = countRequests(desktop);
    await signInBy(stage(), desktop, { asks: LONG_POLL });
    const { streams, polls, longPolls } = asked();
    expect(streams).to.equal(1);
    expect(polls).to.equal(1);
    // The page sends one long poll for each step that it has received, and one that waits. The page's clock runs ahead,
    // so there may be more.
    expect(longPolls).to.be.at.least(2);
  });

  const REFUSALS: Record<string, { status: number; contentType?: string }> = {
    'status 404': { status: 404 },
    'status 503': { status: 503 },
    'a page instead of a stream': { status: 200, contentType: 'text/html' },
  };
  for (const [refusal, answer] of allOrFirst(Object.entries(REFUSALS))) {
    it(`uses long polls until the end if the stream is always refused with ${refusal}, and sends no needless requests`, async () => {
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
      // The page sends one long poll, one more for each step that it has received, and one for each code that has
      // rotated meanwhile. A page in a loop would have sent hundreds.
      expect(longPolls).to.be.at.most(20);
    });
  }
});

describe('a browser during an outage of the server', () => {
  const stage = useStage();

  beforeEach(() => stage().expectProblem(LATE_POLL));

  /** Opens a QR page, and waits until it listens to its stream. */
  const listen = async (desktop: BrowserContext): Promise<Page> => {
    const screen = await stage().open(desktop);
    const listening = screen.waitForResponse(EVENTS);
    await screen.goto(`${stage().rpUrl}/login`);
    expect((await listening).status()).to.equal(200);
    await seeCode(screen);
    return screen;
  };

  it('polls while the answer is 503, and listens to a stream again after another answer', async () => {
    stage().expectProblem(/503|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION/);
    const desktop = await stage().desktop();
    await desktop.clock.install();
    const asked = countRequests(desktop);
    const screen = await listen(desktop);
    expect(asked()).to.deep.equal({ streams: 1, polls: 0, longPolls: 0 });

    const trouble = { status: 503, headers: { 'retry-after': '2' }, body: 'try again' };
    let isDown = true;
    await desktop.route(EVENTS, (route) => (isDown ? route.fulfill(trouble) : route.continue()));
    let polls = 0;
    const third = new Promise<Route>((resolve) => {
      void desktop.route(POLL, (route) => {
        polls += 1;
        return polls < 3 ? route.fulfill(trouble) : resolve(route);
      });
    });
    stage().cutConnections();
    const route = await hurry(screen, third);
    // The page's clock runs ahead, so the page may give the stream up before the browser has reconnected it.
    expect(asked()).to.include({ polls: 3, longPolls: 0 });
    // The code stays on the page during the outage.
    expect(await screen.locator('[data-code]').isVisible()).to.equal(true);

    isDown = false;
    const listening = screen.waitForResponse((response) => response.url().includes('/events?') && response.ok());
    await route.continue();
    await listening;
    const back = asked();
    expect(back).to.include({ polls: 3, longPolls: 0 });
    expect(back.streams).to.be.within(2, 3);
    await (await scanBeside(stage(), screen)).approve();
    expect((await allow(screen)).sub).to.equal('a11ce');
    expect(asked()).to.deep.equal(back);
  });

  it('waits for a server that is down, and reconnects its stream once the server is back', async () => {
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
  });

  it('renews its code as soon as the server answers neither 503 nor 429', async () => {
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

describe('a browser that gets no event stream for longer than a code is valid', () => {
  const stage = useStage({ rotation: 1 });

  it('still shows the next code', async () => {
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

describe('a browser during a short network failure', () => {
  const stage = useStage();

  it('sends the request to finish again until it succeeds', async () => {
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

  it('returns to the app if the answer to a denial is lost', async () => {
    stage().expectProblem(/ERR_FAILED/);
    const { screen, requests } = await loseFirstAnswer(stage());
    await (await scanBeside(stage(), screen)).deny();
    expect(await hurry(screen, errorOn(screen))).to.equal('access_denied');
    expect(requests()).to.equal(2);
  });

  // In the short suite, check-code.test.ts tests the same, with a check code.
  inFullSuite(() =>
    it('is signed in even if the answer to the request to finish is lost', async () => {
      stage().expectProblem(/ERR_FAILED/);
      const { screen, requests } = await loseFirstAnswer(stage());
      await (await scanBeside(stage(), screen)).approve();
      expect((await hurry(screen, allow(screen))).sub).to.equal('a11ce');
      expect(requests()).to.equal(2);
    }),
  );
});

/**
 * Starts a sign-in in a browser that never receives the first answer to `finish`. Also returns a counter of these
 * requests.
 */
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

/** Counts the requests of pages for their ticket, by kind. */
function countRequests(context: BrowserContext): () => { streams: number; polls: number; longPolls: number } {
  const counts = { streams: 0, polls: 0, longPolls: 0 };
  context.on('request', (request) => {
    if (request.url().includes('/qr/events?')) counts.streams += 1;
    else if (POLL.test(request.url())) counts.polls += 1;
    else if (request.url().includes('/qr?after=')) counts.longPolls += 1;
  });
  return () => ({ ...counts });
}

/** Signs in after the page has sent this request. */
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

/** Records the parts of the QR page in the order in which they appear, from the second one on. */
async function recordScreens(desktop: BrowserContext): Promise<string[]> {
  const screens: string[] = [];
  await desktop.exposeBinding('noteScreen', (_source, screen: string) => screens.push(screen));
  await desktop.addInitScript(
    `new MutationObserver(([change]) => noteScreen(change.target.dataset.screen))
       .observe(document, { subtree: true, attributeFilter: ['data-screen'] });`,
  );
  return screens;
}
