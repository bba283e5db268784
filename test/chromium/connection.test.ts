import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { allow, approve, askToSignIn, deny, errorOn, scan, seeScreen } from './acts.ts';
import { readCode, readCodeOtherThan, ticketIn } from './qr-from-pixels.ts';
import type { Stage } from './stage.ts';
import { useStage } from './use-stage.ts';

const EVENTS = '**/qr/events';
const LONG_POLL = '**/qr?after=*';
/** The interaction ends while the page, which is on its way to the app, still asks for it. */
const LATE_POLL = /404.*\/qr(\?after=\d+)?\)$/;

describe('a browser that event streams do not reach', () => {
  const stage = useStage();

  beforeEach(() => stage().expectProblem(LATE_POLL));

  it('polls long where a proxy cuts the stream', async () => {
    stage().expectProblem(/ERR_FAILED/);
    const desktop = await stage().desktop();
    await desktop.route(EVENTS, (route) => route.abort());
    await signInBy(stage(), desktop, { asks: LONG_POLL });
  });

  it('polls long where the stream is answered with an error', async () => {
    stage().expectProblem(/503/);
    const desktop = await stage().desktop();
    await desktop.route(EVENTS, (route) => route.fulfill({ status: 503 }));
    await signInBy(stage(), desktop, { asks: LONG_POLL });
  });

  it('polls long where the stream stays silent', async () => {
    const desktop = await stage().desktop();
    await desktop.route(EVENTS, () => undefined);
    await signInBy(stage(), desktop, { asks: LONG_POLL });
  });

  it('polls where long polls are cut as well', async () => {
    stage().expectProblem(/503|ERR_FAILED/);
    const desktop = await stage().desktop();
    await desktop.route(EVENTS, (route) => route.fulfill({ status: 503 }));
    await desktop.route(LONG_POLL, (route) => route.abort());
    await signInBy(stage(), desktop, { asks: /\/qr$/ });
  });

  it('goes on saying that it signs in until the app is there', async () => {
    stage().expectProblem(/503/);
    const desktop = await stage().desktop();
    const screens = await noteScreens(desktop);
    await desktop.route(EVENTS, (route) => route.fulfill({ status: 503 }));
    const screen = await askToSignIn(stage(), desktop);
    const phone = await scan(stage(), await stage().phone(), screen);
    await seeScreen(screen, 'scanned');

    // The provider has ended the interaction, its answer is under way, and the page asks for its ticket once more.
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    await desktop.route(LONG_POLL, async (route) => {
      await ended;
      await route.continue();
    });
    await desktop.route(`${stage().issuer}/auth/*`, async (route) => {
      const answer = await route.fetch({ maxRedirects: 0 });
      await desktop.unroute(`${stage().issuer}/auth/*`);
      const asked = screen.waitForResponse(/\/qr\?after=/, { timeout: 2_000 }).catch(() => undefined);
      end();
      await asked;
      await route.fulfill({ response: answer });
    });
    await approve(phone);
    await allow(screen);
    expect(screens).to.deep.equal(['scanned', 'finishing']);
  });

  it('says so where the sign-in has ended meanwhile', async () => {
    stage().expectProblem(/503|404/);
    const desktop = await stage().desktop();
    await desktop.route(EVENTS, (route) => route.fulfill({ status: 503 }));
    const screen = await stage().open(desktop, stage().rpUrl);
    const asked = screen.waitForRequest(LONG_POLL);
    await screen.getByRole('link', { name: 'Sign in' }).click();
    await asked;
    await desktop.clearCookies({ name: '_interaction' });
    const phone = await scan(stage(), await stage().phone(), screen);
    await seeScreen(screen, 'gone');
    await screen.getByRole('heading', { name: 'This sign-in has timed out' }).waitFor();
    expect(await screen.locator('[data-code]').isVisible()).to.equal(false);
    await deny(phone);
  });
});

describe('a browser that event streams do not reach, for longer than a code is good', () => {
  const stage = useStage({ rotation: 1 });

  it('shows the next code all the same', async () => {
    stage().expectProblem(/503/);
    const desktop = await stage().desktop();
    await desktop.route(EVENTS, (route) => route.fulfill({ status: 503 }));
    const screen = await askToSignIn(stage(), desktop);
    const code = await readCode(screen);
    const next = await readCodeOtherThan(screen, code);
    expect(ticketIn(next)).to.equal(ticketIn(code));
  });
});

describe('a browser whose network fails for a moment', () => {
  const stage = useStage();

  it('sends the sign-in again until it gets through', async () => {
    stage().expectProblem(/503|ERR_FAILED/);
    const desktop = await stage().desktop();
    let failures = 0;
    await desktop.route('**/qr/finish', (route) => {
      failures += 1;
      if (failures === 1) return route.abort();
      if (failures === 2) return route.fulfill({ status: 503 });
      return route.continue();
    });
    const screen = await askToSignIn(stage(), desktop);
    await approve(await scan(stage(), await stage().phone(), screen));
    expect((await allow(screen)).sub).to.equal('a11ce');
    expect(failures).to.equal(3);
  });

  it('is still sent back to the app where the answer to a denial got lost', async () => {
    stage().expectProblem(/ERR_FAILED/);
    const desktop = await stage().desktop();
    let answers = 0;
    await desktop.route('**/qr/finish', async (route) => {
      answers += 1;
      if (answers > 1) return route.continue();
      await route.fetch();
      return route.abort();
    });
    const screen = await askToSignIn(stage(), desktop);
    await deny(await scan(stage(), await stage().phone(), screen));
    expect(await errorOn(screen)).to.equal('access_denied');
    expect(answers).to.equal(2);
  });

  it('is still signed in where the answer to the sign-in got lost', async () => {
    stage().expectProblem(/ERR_FAILED/);
    const desktop = await stage().desktop();
    let answers = 0;
    await desktop.route('**/qr/finish', async (route) => {
      answers += 1;
      if (answers > 1) return route.continue();
      await route.fetch();
      return route.abort();
    });
    const screen = await askToSignIn(stage(), desktop);
    await approve(await scan(stage(), await stage().phone(), screen));
    expect((await allow(screen)).sub).to.equal('a11ce');
    expect(answers).to.equal(2);
  });
});

/** Signs in, once the page has asked for what it is to learn from. */
async function signInBy(stage: Stage, desktop: BrowserContext, { asks }: { asks: string | RegExp }): Promise<void> {
  const screen: Page = await stage.open(desktop, stage.rpUrl);
  const asked = screen.waitForRequest(asks);
  await screen.getByRole('link', { name: 'Sign in' }).click();
  await asked;
  const phone = await scan(stage, await stage.phone(), screen);
  await seeScreen(screen, 'scanned');
  await approve(phone);
  const claims = await allow(screen);
  expect(claims).to.include({ iss: stage.issuer, sub: 'a11ce' });
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
