import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { allow, askToSignIn, codeAfter, codeOn, hurry, seeCode, seeScreen, turn } from './acts.ts';
import { scanBeside } from './phones.ts';
import { ticketIn } from './qr-from-pixels.ts';
import { BEHIND_PROXY, type Stage } from './stage.ts';
import { useStage } from './use-stage.ts';

const CUT = /ERR_|404.*\/qr\?/;

/** The events after which a page must check its connection, each with a function that causes it. */
const WAKES: Record<string, (screen: Page) => Promise<unknown>> = {
  online: (screen) => screen.evaluate(`dispatchEvent(new Event('online'))`),
  focus: (screen) => screen.evaluate(`dispatchEvent(new Event('focus'))`),
  visibilitychange: (screen) => turn(screen, 'visible'),
};

describe('a page whose connection dies without an error', () => {
  const stage = useStage({}, {}, BEHIND_PROXY);

  beforeEach(() => stage().expectProblem(CUT));

  it('connects again while it waits, and shows the next code', async () => {
    const screen = await openListeningPage(stage());
    const code = await codeOn(screen);
    stage().network.freezeConnections('/qr/events');
    stage().clock.forward(10);
    const next = await hurry(screen, codeAfter(screen, code));
    expect(ticketIn(next)).to.equal(ticketIn(code));
    await (await scanBeside(stage(), screen)).approve();
    expect((await hurry(screen, allow(screen))).sub).to.equal('a11ce');
  });

  it('connects again after the scan, and finishes the sign-in that the phone has approved in the meantime', async () => {
    const screen = await openListeningPage(stage());
    const phone = await scanBeside(stage(), screen);
    await seeScreen(screen, 'scanned');
    stage().network.freezeConnections('/qr/events');
    await phone.approve();
    expect((await hurry(screen, allow(screen))).sub).to.equal('a11ce');
  });

  for (const [event, wake] of Object.entries(WAKES)) {
    it(`connects again immediately on "${event}"`, async () => {
      const screen = await openListeningPage(stage());
      const phone = await scanBeside(stage(), screen);
      await seeScreen(screen, 'scanned');
      stage().network.freezeConnections('/qr/events');
      await phone.approve();
      // Long enough for the page to doubt its connection, and too short for the page to check it without the event.
      await screen.clock.runFor(4_000);
      await wake(screen);
      expect((await allow(screen)).sub).to.equal('a11ce');
    });
  }

  it('hides a code that may be out of date, and shows it again once the server has answered', async () => {
    const screen = await openListeningPage(stage());
    const code = await codeOn(screen);
    stage().network.freeze();
    await hurry(screen, screen.locator('p.connecting').filter({ hasText: 'Connecting…' }).waitFor());
    expect(await screen.evaluate(`getComputedStyle(document.querySelector('[data-code] svg')).opacity`)).to.equal(
      '0.04',
    );
    expect(await screen.locator('[data-address]').isVisible()).to.equal(false);
    await stage().network.heal();
    await hurry(screen, screen.locator('p.connecting').waitFor({ state: 'hidden' }));
    expect(await screen.locator('[data-address]').isVisible()).to.equal(true);
    expect(ticketIn(await codeOn(screen))).to.equal(ticketIn(code));
    await (await scanBeside(stage(), screen)).approve();
    expect((await hurry(screen, allow(screen))).sub).to.equal('a11ce');
  });
});

describe('a hidden tab', () => {
  const stage = useStage();

  beforeEach(() => stage().expectProblem(CUT));

  it('holds no connection after a few seconds, and shows the current state once it is visible again', async () => {
    const screen = await openListeningPage(stage());
    expect((await stage().health()).waiting).to.equal(1);
    const phone = await scanBeside(stage(), screen);
    await seeScreen(screen, 'scanned');
    await turn(screen, 'hidden');
    const left = screen.waitForEvent('requestfailed', (request) => request.url().includes('/qr/events'));
    await hurry(screen, left);
    await phone.approve();
    expect(await screen.locator('[data-qr-login]').getAttribute('data-screen')).to.equal('scanned');
    await turn(screen, 'visible');
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  it('leaves the connections of the browser to the visible tab (seven tabs over HTTP/1.1)', async () => {
    const desktop = await stage().desktop();
    await desktop.clock.install();
    const tabs: Page[] = [];
    for (let count = 0; count < 6; count++) {
      const tab = await askToSignIn(stage(), desktop);
      await turn(tab, 'hidden');
      await hurry(
        tab,
        tab.waitForEvent('requestfailed', (request) => request.url().includes('/qr/events')),
      );
      tabs.push(tab);
    }
    const screen = await askToSignIn(stage(), desktop);
    await (await scanBeside(stage(), screen)).approve();
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  it('says that its sign-in was finished in another tab, and leads to the app', async () => {
    stage().expectProblem(/404/);
    const desktop = await stage().desktop();
    const screen = await askToSignIn(stage(), desktop);
    const other = await stage().open(desktop, screen.url());
    await seeCode(other);
    await turn(other, 'hidden');
    await (await scanBeside(stage(), screen)).approve();
    await allow(screen);
    await turn(other, 'visible');
    await other.getByRole('heading', { name: 'You are signed in' }).waitFor();
    expect(await other.getByRole('link', { name: /^Back to/ }).getAttribute('href')).to.include(stage().rpUrl);
  });
});

describe('the back button after a sign-in', () => {
  const stage = useStage();

  it('says that the user is signed in, and leads to the app', async () => {
    stage().expectProblem(/404/);
    const screen = await askToSignIn(stage(), await stage().desktop());
    const url = screen.url();
    await (await scanBeside(stage(), screen)).approve();
    await allow(screen);
    await screen.goto(url);
    await screen.getByRole('heading', { name: 'You are signed in' }).waitFor();
    await screen.getByRole('link', { name: /^Back to/ }).click();
    await screen.waitForURL(`${stage().rpUrl}/**`);
  });
});

/** Opens a QR page with a clock that the test moves, and waits until it listens to its stream. */
async function openListeningPage(stage: Stage, context?: BrowserContext): Promise<Page> {
  const desktop = context ?? (await stage.desktop());
  await desktop.clock.install();
  const screen = await stage.open(desktop);
  const opened = screen.waitForResponse((response) => response.url().includes('/qr/events') && response.ok());
  await screen.goto(`${stage.rpUrl}/login`);
  await opened;
  await seeCode(screen);
  return screen;
}
