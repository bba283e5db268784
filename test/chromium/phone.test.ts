import { expect } from 'chai';
import type { BrowserContext } from 'playwright-core';
import { inFullSuite } from '../support/full-suite.ts';
import { allow, approve, askToSignIn, codeOn, fillInPasswordPage, seeScreen, waitForYes } from './acts.ts';
import { scan, signedInPhone } from './phones.ts';
import { useStage } from './use-stage.ts';

describe('a phone in a real browser', () => {
  const stage = useStage();

  it('reaches the confirm page after a wrong password', async () => {
    stage().expectProblem(/401/);
    const screen = await askToSignIn(stage(), await stage().desktop());
    const phone = await stage().open(await stage().phone(), await codeOn(screen));
    await fillInPasswordPage(phone, 'alice', 'looking-glass');
    await phone.getByRole('alert').filter({ hasText: 'The name or the password is wrong.' }).waitFor();
    await fillInPasswordPage(phone);
    await phone.getByRole('heading', { name: 'Sign in to Demo app?' }).waitFor();
  });

  it('can take longer to sign in than the code is valid', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const phone = await stage().open(await stage().phone(), await codeOn(screen));
    await phone.getByLabel('Password').waitFor();
    stage().clock.forward(60);
    await fillInPasswordPage(phone);
    await phone.getByRole('heading', { name: 'Sign in to Demo app?' }).waitFor();
    await approve(phone);
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  it('does not scan from a prerendered page until the user opens it', async () => {
    const context = await signedInPhone(stage());
    const screen = await askToSignIn(stage(), await stage().desktop());
    await context.addInitScript(`Object.defineProperty(document, 'visibilityState', {
      get: () => globalThis.isOpen ? 'visible' : 'hidden', configurable: true });`);
    const scans = countPosts(context);
    const phone = await stage().open(context, await codeOn(screen));
    expect(await phone.getByRole('button', { name: 'Continue' }).isVisible()).to.equal(true);
    expect(scans()).to.equal(0);

    await phone.evaluate(`globalThis.isOpen = true; document.dispatchEvent(new Event('visibilitychange'));`);
    await phone.getByRole('heading', { name: 'Sign in to Demo app?' }).waitFor();
    await seeScreen(screen, 'scanned');
    expect(scans()).to.equal(1);
  });

  it('enables Approve half a second after the page has appeared, and No immediately', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const context = await signedInPhone(stage());
    await context.clock.install();
    await context.clock.pauseAt(Date.now() + 3_600_000);
    const phone = await scan(stage(), screen, context);
    const yes = phone.getByRole('button', { name: 'Yes, sign in' });
    expect(await yes.isEnabled()).to.equal(false);
    expect(await phone.getByRole('button', { name: 'No, decline' }).isEnabled()).to.equal(true);
    await context.clock.fastForward(600);
    expect(await yes.isEnabled()).to.equal(true);
    await phone.evaluate(`dispatchEvent(new Event('focus'))`);
    expect(await yes.isEnabled()).to.equal(false);
  });

  it('enables Approve half a second after a hidden page has become visible', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const context = await signedInPhone(stage());
    await context.clock.install();
    await context.clock.pauseAt(Date.now() + 3_600_000);
    const phone = await scan(stage(), screen, context);
    const yes = phone.getByRole('button', { name: 'Yes, sign in' });
    await phone.evaluate(`Object.defineProperty(document, 'visibilityState', {
      get: () => globalThis.isHidden ? 'hidden' : 'visible', configurable: true });`);
    const turn = (isHidden: boolean): Promise<unknown> =>
      phone.evaluate(`globalThis.isHidden = ${isHidden}; document.dispatchEvent(new Event('visibilitychange'));`);
    await turn(true);
    await context.clock.fastForward(60_000);
    expect(await yes.isEnabled(), 'hidden').to.equal(false);
    await turn(false);
    await context.clock.fastForward(400);
    expect(await yes.isEnabled(), 'just visible').to.equal(false);
    await context.clock.fastForward(200);
    expect(await yes.isEnabled(), 'visible').to.equal(true);
    await turn(true);
    await turn(false);
    expect(await yes.isEnabled(), 'visible again').to.equal(false);
  });

  it('ignores a press that began before Approve was active, and then waits for another half second', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const context = await signedInPhone(stage());
    await context.clock.install();
    await context.clock.pauseAt(Date.now() + 3_600_000);
    const phone = await scan(stage(), screen, context);
    const decisions = countPosts(context);
    const yes = phone.getByRole('button', { name: 'Yes, sign in' });
    await yes.scrollIntoViewIfNeeded();
    const { x = 0, y = 0, width = 0, height = 0 } = (await yes.boundingBox()) ?? {};
    await phone.mouse.move(x + width / 2, y + height / 2);

    // Each click makes the page wait again, so that an attacker cannot make the user approve by quick clicks.
    for (let clicks = 0; clicks < 5; clicks++) {
      await phone.mouse.down();
      await phone.mouse.up();
      await context.clock.fastForward(300);
      expect(await yes.isEnabled(), `after click ${clicks + 1}`).to.equal(false);
    }
    // The pointer goes down before Approve is active, and up afterwards.
    await phone.mouse.down();
    await context.clock.fastForward(600);
    expect(await yes.isEnabled()).to.equal(true);
    await phone.mouse.up();
    expect(decisions()).to.equal(0);

    // A key was already held down before Approve became active. The button then gets the focus.
    await phone.evaluate(`dispatchEvent(new Event('focus'))`);
    await phone.keyboard.down('Enter');
    await context.clock.fastForward(600);
    await yes.focus();
    await phone.keyboard.down('Enter');
    expect(decisions()).to.equal(0);
    await phone.keyboard.up('Enter');
    await context.clock.fastForward(100);

    await phone.mouse.down();
    await phone.mouse.up();
    await phone.waitForSelector('.mark-yes');
    expect(decisions()).to.equal(1);
  });

  it('decides once if the user taps twice', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const context = await signedInPhone(stage());
    const phone = await scan(stage(), screen, context);
    const decisions = countPosts(context);
    await waitForYes(phone);
    await phone.evaluate(
      `const yes = document.querySelector('button[value=approve]');
       yes.click();
       yes.click();`,
    );
    await phone.waitForSelector('.mark-yes');
    expect(decisions()).to.equal(1);
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  it('asks for the ticket again if a captive portal has answered the request that watches it', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const context = await signedInPhone(stage());
    let finish = (): void => undefined;
    const mayFinish = new Promise<void>((resolve) => {
      finish = resolve;
    });
    await screen.route(/\/qr\/finish$/, async (route) => {
      await mayFinish;
      await route.continue();
    });
    const phone = await scan(stage(), screen, context);
    let looks = 0;
    await approve(phone);
    await phone.locator('[data-approved]').waitFor();
    await context.route(/\?after=/, async (route) => {
      looks += 1;
      if (looks > 1) return route.continue();
      await route.fulfill({ contentType: 'text/html', body: '<main><h1>Welcome to this hotel</h1></main>' });
      finish();
    });
    // Reload the page, so that its next request for the ticket gets the answer of the captive portal.
    await phone.reload();
    await phone.getByRole('heading', { name: 'Signed in' }).waitFor();
    expect(looks).to.be.greaterThan(1);
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  inFullSuite(() =>
    it('gets a 404 for a code that another account has already scanned', async () => {
      stage().expectProblem(/404/);
      const screen = await askToSignIn(stage(), await stage().desktop());
      const code = await codeOn(screen);
      const second = await stage().open(await stage().phone(), code);
      const first = await scan(stage(), screen);
      await fillInPasswordPage(second, 'bob', 'builder');
      expect(await second.locator('[data-error]').getAttribute('data-error')).to.equal('not_found');
      await approve(first);
      expect((await allow(screen)).sub).to.equal('a11ce');
    }),
  );
});

function countPosts(context: BrowserContext): () => number {
  let posts = 0;
  context.on('request', (request) => {
    if (request.method() === 'POST') posts += 1;
  });
  return () => posts;
}
