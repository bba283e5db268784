import { expect } from 'chai';
import { inFullSuite } from '../support/full-suite.ts';
import { allow, askToSignIn, codeAfter, codeOn, seeScreen, turn } from './acts.ts';
import { scan, scanBeside } from './phones.ts';
import { readCode, readCodeOtherThan, ticketIn } from './qr-from-pixels.ts';
import { useStage } from './use-stage.ts';

describe('a code in a real browser', () => {
  const stage = useStage();

  it('is replaced on the screen every few seconds, for the same ticket', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const code = await readCode(screen);
    stage().clock.forward(10);
    const next = await readCodeOtherThan(screen, code);
    expect(ticketIn(next)).to.equal(ticketIn(code));
  });

  it('has a countdown of its last seconds', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const left = screen.locator('[data-when~=waiting] [data-time]');
    await left.filter({ hasText: /^(1:5\d|2:00)$/ }).waitFor({ state: 'attached' });
    expect(await left.isVisible()).to.equal(false);
    stage().clock.forward(102);
    await left.filter({ hasText: /^0:1\d$/ }).waitFor();
  });

  it('is renewed by a visible page when it expires, and the new code works', async () => {
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

  it('is renewed by a hidden page only once the page is visible again', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const code = await codeOn(screen);
    let renewals = 0;
    screen.on('request', (request) => {
      if (request.url().includes('/qr/renew?')) renewals += 1;
    });
    await turn(screen, 'hidden');
    stage().clock.forward(121);
    await seeScreen(screen, 'expired');
    await screen.getByRole('heading', { name: 'This QR code has expired' }).waitFor();
    expect(renewals).to.equal(0);

    await turn(screen, 'visible');
    const next = await codeAfter(screen, code);
    expect(ticketIn(next)).not.to.equal(ticketIn(code));
    expect(renewals).to.equal(1);
  });

  it('can expire while the phone decides: the phone shows an error, and the browser a new code', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const code = await codeOn(screen);
    const phone = await scan(stage(), screen);
    stage().clock.forward(121);
    const next = await codeAfter(screen, code);
    expect(ticketIn(next)).not.to.equal(ticketIn(code));

    await phone.locator('[data-error=over]').waitFor();
    expect(await phone.locator('button[value=approve]').count()).to.equal(0);
  });

  inFullSuite(() =>
    it('does not work from a photo after half a minute', async () => {
      stage().expectProblem(/404/);
      const screen = await askToSignIn(stage(), await stage().desktop());
      const code = await codeOn(screen);
      stage().clock.forward(35);
      const phone = await stage().open(await stage().phone(), code);
      expect(await phone.locator('[data-error]').getAttribute('data-error')).to.equal('not_found');
    }),
  );
});
