import { expect } from 'chai';
import type { BrowserContext, Page, Route } from 'playwright-core';
import { People } from '../fixtures/people.ts';
import { allow, approve, askToSignIn, codeAfter, codeOn, hurry, seeScreen } from './acts.ts';
import { scan, scanBeside, signedInPhone } from './phones.ts';
import type { Stage } from './stage.ts';
import { useStage } from './use-stage.ts';

const FINISH = '**/qr/finish';
/** The address of a captive portal's page. */
const PORTAL = 'http://portal.localhost/';
const HTML = { contentType: 'text/html', body: '<!doctype html><title>Proxy</title><p>Please sign in to the Wi-Fi.' };
/** Longer than the time in which an approved ticket can be finished. */
const PAST_THE_DEADLINE_S = 130;

/** Answers to the request to finish that do not come from the provider. */
const ANSWERS: Readonly<Record<string, Parameters<Route['fulfill']>[0]>> = {
  'a 200 whose body is cut': { status: 200, contentType: 'application/json', body: '{"redirectTo":"http' },
  'a 200 with the HTML of a proxy': { status: 200, ...HTML },
  'a 403 with the HTML of a proxy': { status: 403, ...HTML },
  'a redirect to a captive portal': { status: 302, headers: { location: PORTAL } },
};

describe('a browser whose finish request fails', () => {
  const stage = useStage();

  // The page's clock runs ahead, so a poll may end after the interaction, while the page is leaving for the app.
  beforeEach(() => stage().expectProblem(/404.*\/qr\?/));

  for (const [what, answer] of Object.entries(ANSWERS)) {
    it(`with ${what}: shows that it is connecting, tries again, and signs in when the network is back`, async () => {
      const { screen, desktop, disturbed } = await approveWithAnswer(stage(), answer);
      await hurry(screen, screen.locator('p.connecting').filter({ hasText: 'Connecting…' }).waitFor());
      await seeScreen(screen, 'finishing');
      await hurry(screen, disturbed.untilTried(2));
      await desktop.unroute(FINISH);
      expect((await hurry(screen, allow(screen))).sub).to.equal('a11ce');
      expect(disturbed.portal).to.equal(0);
    });
  }

  it("that gets a proxy's page for each try until the ticket expires: shows a valid code, then finishes another approved ticket", async () => {
    // The phone gets a 410 when it reads its expired ticket.
    stage().expectProblem(/410/);
    const { screen, desktop, disturbed } = await approveWithAnswer(stage(), ANSWERS['a 200 with the HTML of a proxy']);
    await hurry(screen, disturbed.untilTried(2));
    const first = await codeOn(screen);
    stage().clock.forward(PAST_THE_DEADLINE_S);
    await hurry(screen, codeAfter(screen, first));
    await seeScreen(screen, 'waiting');
    const tries = disturbed.count;
    // Wait longer than the pause between two tries.
    await screen.clock.runFor(6_000);
    expect(disturbed.count, 'tries without an approved ticket').to.equal(tries);
    // The page's clock ran ahead of the server's, so the page may just be connecting again.
    await screen.locator('p.connecting').waitFor({ state: 'hidden' });
    await (await scanBeside(stage(), screen)).approve();
    await hurry(screen, disturbed.untilTried(tries + 1));
    await desktop.unroute(FINISH);
    expect((await hurry(screen, allow(screen))).sub).to.equal('a11ce');
  });
});

describe('a browser whose approved sign-in is refused', () => {
  const people = new People();
  const stage = useStage({}, { people });

  beforeEach(() => stage().expectProblem(/403/));

  it('says that the account cannot be used, and can sign another account in with a new code', async () => {
    const { screen, letThrough } = await actWhileHeld(stage(), async (device) => {
      await approve(device);
      people.remove('a11ce');
    });
    await letThrough();
    await screen.getByRole('heading', { name: 'This sign-in was refused' }).waitFor();
    await screen.getByText('This account cannot be used to sign in.').waitFor();
    const old = await codeOn(screen);
    await screen.getByRole('button', { name: 'Show a new QR code' }).click();
    await codeAfter(screen, old);
    await approve(await scan(stage(), screen, await signedInPhone(stage(), { name: 'bob' })));
    expect((await allow(screen)).sub).to.equal('b0b');
  });
});

describe('a browser whose phone signs out after Approve', () => {
  const stage = useStage();

  // The provider's own page after a sign-out loads a font.
  beforeEach(() => stage().expectProblem(/403|fonts\.googleapis\.com/));

  it('says that the phone has signed out, and can sign in with a new code', async () => {
    const { screen, letThrough } = await actWhileHeld(stage(), async (device) => {
      await approve(device);
      await device.goto(`${stage().issuer}/session/end`);
      await device.getByRole('button', { name: 'Sign out' }).click();
      await device.waitForURL(/\/session\/end\/success/);
    });
    await letThrough();
    await screen.getByRole('heading', { name: 'This sign-in was refused' }).waitFor();
    await screen.getByText('The phone that approved has signed out since').waitFor();
    const old = await codeOn(screen);
    await screen.getByRole('button', { name: 'Show a new QR code' }).click();
    await codeAfter(screen, old);
    await (await scanBeside(stage(), screen)).approve();
    expect((await allow(screen)).sub).to.equal('a11ce');
  });
});

interface DisturbedRequests {
  /** The number of requests to finish so far. */
  readonly count: number;
  /** The number of requests to the captive portal so far. */
  readonly portal: number;
  /** Waits until this number of requests to finish has been sent. */
  readonly untilTried: (count: number) => Promise<void>;
}

/** Approves a sign-in. Every `finish` request gets this answer. */
async function approveWithAnswer(
  stage: Stage,
  answer: Parameters<Route['fulfill']>[0],
): Promise<{ screen: Page; desktop: BrowserContext; disturbed: DisturbedRequests }> {
  stage.expectProblem(/403|ERR_/);
  const desktop = await stage.desktop();
  await desktop.clock.install();
  const screen = await askToSignIn(stage, desktop);
  let count = 0;
  let portal = 0;
  let onTry: () => void = () => undefined;
  await desktop.route(`${PORTAL}**`, (route) => {
    portal += 1;
    return route.fulfill(HTML);
  });
  await desktop.route(FINISH, async (route) => {
    await route.fulfill(answer);
    count += 1;
    onTry();
  });
  await (await scanBeside(stage, screen)).approve();
  const disturbed = {
    get count() {
      return count;
    },
    get portal() {
      return portal;
    },
    untilTried: (expected: number) =>
      new Promise<void>((resolve) => {
        onTry = () => count >= expected && resolve();
        onTry();
      }),
  };
  return { screen, desktop, disturbed };
}

/** Holds the `finish` request back while the phone acts. */
async function actWhileHeld(
  stage: Stage,
  act: (device: Page) => Promise<void>,
): Promise<{ screen: Page; letThrough: () => Promise<void> }> {
  const desktop = await stage.desktop();
  const screen = await askToSignIn(stage, desktop);
  let letThrough: () => void = () => undefined;
  const through = new Promise<void>((resolve) => {
    letThrough = resolve;
  });
  await desktop.route(FINISH, async (route) => {
    await through;
    await route.continue();
  });
  const held = screen.waitForRequest(FINISH);
  await act(await scan(stage, screen));
  await held;
  return {
    screen,
    letThrough: async () => {
      letThrough();
    },
  };
}
