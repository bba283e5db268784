import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { inFullSuite } from '../support/full-suite.ts';
import { allow, askToSignIn, codeAfter, codeOn, pressYes, seeScreen } from './acts.ts';
import { scan, scanBeside } from './phones.ts';
import { readCode, readCodeOtherThan, ticketIn } from './qr-from-pixels.ts';
import { useStage } from './use-stage.ts';

describe('time in a real browser', () => {
  const stage = useStage();

  it('replaces the code on the screen every few seconds; the ticket stays', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const code = await readCode(screen);
    stage().clock.forward(10);
    const next = await readCodeOtherThan(screen, code);
    expect(ticketIn(next)).to.equal(ticketIn(code));
  });

  it('counts down what is left of the code', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const left = screen.locator('[data-when=waiting] [data-time]');
    await left.filter({ hasText: /^(1:5\d|2:00)$/ }).waitFor();
    stage().clock.forward(60);
    await left.filter({ hasText: /^(0:5\d|1:00)$/ }).waitFor();
  });

  it('runs out: a page that is looked at renews its code by itself, and that one works', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const code = await codeOn(screen);
    const renewed = screen.waitForResponse(/\/qr\/renew\?/);
    stage().clock.forward(121);
    expect((await renewed).status()).to.equal(200);
    await seeScreen(screen, 'waiting');
    const next = await codeAfter(screen, code);
    expect(ticketIn(next)).not.to.equal(ticketIn(code));

    await (await scanBeside(stage(), screen)).approve();
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  it('runs out: a page that nobody looks at waits with the next code until somebody does', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const code = await codeOn(screen);
    let renewals = 0;
    screen.on('request', (request) => {
      if (request.url().includes('/qr/renew?')) renewals += 1;
    });
    await turn(screen, 'hidden');
    stage().clock.forward(121);
    await seeScreen(screen, 'expired');
    await screen.getByRole('heading', { name: 'This code has expired' }).waitFor();
    expect(renewals).to.equal(0);

    await turn(screen, 'visible');
    const next = await codeAfter(screen, code);
    expect(ticketIn(next)).not.to.equal(ticketIn(code));
    expect(renewals).to.equal(1);
  });

  it('runs out while the phone decides: the phone is told, the browser shows a new code', async () => {
    stage().expectProblem(/410/);
    const screen = await askToSignIn(stage(), await stage().desktop());
    const code = await codeOn(screen);
    const phone = await scan(stage(), screen);
    stage().clock.forward(121);
    const next = await codeAfter(screen, code);
    expect(ticketIn(next)).not.to.equal(ticketIn(code));

    await pressYes(phone);
    expect(await phone.locator('[data-error]').getAttribute('data-error')).to.equal('over');
  });

  inFullSuite(() =>
    it('makes a code that was photographed worthless', async () => {
      stage().expectProblem(/404/);
      const screen = await askToSignIn(stage(), await stage().desktop());
      const code = await codeOn(screen);
      stage().clock.forward(35);
      const phone = await stage().open(await stage().phone(), code);
      expect(await phone.locator('[data-error]').getAttribute('data-error')).to.equal('not_found');
    }),
  );
});

/** Chromium without a window never hides a page: this is what the page would notice. */
async function turn(page: Page, state: 'hidden' | 'visible'): Promise<void> {
  await page.evaluate(
    `Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
     document.dispatchEvent(new Event('visibilitychange'));`,
  );
}
