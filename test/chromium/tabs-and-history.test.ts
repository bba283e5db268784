import { expect } from 'chai';
import { inFullSuite } from '../support/full-suite.ts';
import { allow, approve, askToSignIn, claimsOn, codeOn, errorOn, seeCode, seeScreen } from './acts.ts';
import { scan, scanBeside } from './phones.ts';
import { ticketIn } from './qr-from-pixels.ts';
import { useStage } from './use-stage.ts';

describe('tabs, reloads and the back button', () => {
  const stage = useStage();

  it('two tabs of one browser show two codes at the same time, and both sign in', async () => {
    const desktop = await stage().desktop();
    const first = await askToSignIn(stage(), desktop);
    const second = await askToSignIn(stage(), desktop);
    expect(ticketIn(await codeOn(first))).not.to.equal(ticketIn(await codeOn(second)));

    const phoneForFirst = await scanBeside(stage(), first);
    const phoneForSecond = await scanBeside(stage(), second);
    await seeScreen(first, 'scanned');
    await seeScreen(second, 'scanned');
    await phoneForSecond.approve();
    expect((await allow(second)).sub).to.equal('a11ce');
    await phoneForFirst.approve();
    expect((await claimsOn(first)).sub).to.equal('a11ce');
  });

  it('two tabs with the same sign-in show the same ticket, and after the approval one of the tabs continues', async () => {
    // An authorization request is answered only once, so the other tab gets oidc-provider's own error page.
    stage().expectProblem(/40[04]|ERR_NAME_NOT_RESOLVED/);
    const desktop = await stage().desktop();
    const first = await askToSignIn(stage(), desktop);
    const second = await stage().open(desktop, first.url());
    expect(ticketIn(await codeOn(second))).to.equal(ticketIn(await codeOn(first)));

    await seeCode(second);

    const phone = await scanBeside(stage(), second);
    await seeScreen(first, 'scanned');
    await seeScreen(second, 'scanned');
    await phone.approve();
    const consent = { name: 'Demo app asks for access' };
    await Promise.race([first, second].map((tab) => tab.getByRole('heading', consent).waitFor()));
  });

  inFullSuite(() =>
    it('forty unfinished sign-ins remove no cookie of another application, and the newest ones sign in', async () => {
      const desktop = await stage().desktop();
      const { issuer } = stage();
      await desktop.addCookies([{ name: 'session_of_another_application', value: 'kept', url: issuer }]);
      const abandoned = await desktop.newPage();
      for (let starts = 0; starts < 38; starts++) {
        await abandoned.goto(`${stage().rpUrl}/login`, { waitUntil: 'domcontentloaded' });
      }
      const first = await askToSignIn(stage(), desktop);
      const second = await askToSignIn(stage(), desktop);

      const names = (await desktop.cookies()).map(({ name }) => name);
      expect(names).to.include('session_of_another_application');
      expect(names.filter((name) => /^_(interaction|qr)/.test(name))).to.have.length(8 * 6 + 2);
      await approve(await scan(stage(), second));
      expect((await allow(second)).sub).to.equal('a11ce');
      await approve(await scan(stage(), first));
      expect((await claimsOn(first)).sub).to.equal('a11ce');
    }),
  );

  it('a reload of the QR page keeps the ticket', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const ticket = ticketIn(await codeOn(screen));
    await screen.reload();
    expect(ticketIn(await codeOn(screen))).to.equal(ticket);

    const phone = await scanBeside(stage(), screen);
    await screen.reload();
    await seeScreen(screen, 'scanned');
    await screen.getByRole('heading', { name: /^Scanned by / }).waitFor();
    await phone.approve();
    await allow(screen);
  });

  inFullSuite(() =>
    it('a reload of the confirm page on the phone asks again, and approving works', async () => {
      const screen = await askToSignIn(stage(), await stage().desktop());
      const phone = await scan(stage(), screen);
      await phone.reload();
      await approve(phone);
      expect((await allow(screen)).sub).to.equal('a11ce');
    }),
  );

  it('a reload of the done page shows the result again, and the back button offers no second decision', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const phone = await scan(stage(), screen);
    await approve(phone);
    await allow(screen);
    await phone.reload();
    await phone.getByRole('heading', { name: 'Signed in' }).waitFor();
    // The pages of the ticket are one entry of the history, because they replace each other.
    await phone.goBack();
    await phone.goForward();
    await phone.getByRole('heading', { name: 'Signed in' }).waitFor();
    expect(await phone.getByRole('button', { name: 'Yes, sign in' }).count()).to.equal(0);
  });

  it('the back button after a sign-in shows no old code', async () => {
    // Chromium logs the status 404 of the page, because this sign-in is over.
    stage().expectProblem(/404/);
    const screen = await askToSignIn(stage(), await stage().desktop());
    await (await scanBeside(stage(), screen)).approve();
    await allow(screen);

    await screen.goBack();
    expect(await errorOn(screen)).to.equal('no_interaction');
    expect(await screen.locator('[data-code]').count()).to.equal(0);
    expect(await screen.getByRole('link', { name: 'Back to the sign-in' }).count()).to.equal(0);
  });

  inFullSuite(() =>
    it('the back button after a cancelled sign-in shows no old code', async () => {
      stage().expectProblem(/404/);
      const screen = await askToSignIn(stage(), await stage().desktop());
      await screen.getByRole('button', { name: 'Cancel and go back to Demo app' }).click();
      expect(await errorOn(screen)).to.equal('access_denied');

      await screen.goBack();
      expect(await errorOn(screen)).to.equal('no_interaction');
      expect(await screen.locator('[data-code]').count()).to.equal(0);
    }),
  );

  it('a page from the back-forward cache is reloaded', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const loaded = screen.waitForEvent('load');
    // Playwright disables the back-forward cache, so the event is simulated.
    await screen.evaluate(`setTimeout(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })))`);
    await loaded;
    await seeCode(screen);
  });

  it('the back button from the password page shows the code again', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const ticket = ticketIn(await codeOn(screen));
    await screen.getByRole('link', { name: 'Sign in with a password' }).click();
    await screen.getByLabel('Password').waitFor();
    await screen.goBack();
    await seeCode(screen);
    expect(ticketIn(await codeOn(screen))).to.equal(ticket);
    await (await scanBeside(stage(), screen)).approve();
    await allow(screen);
  });
});
