import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { inFullSuite } from '../support/full-suite.ts';
import { allow, approve, askToSignIn, checkCodeOn, codeOn, deny, errorOn, otherThan, seeCode } from './acts.ts';
import { signedInPhone } from './phones.ts';
import type { Stage } from './stage.ts';
import { useStage } from './use-stage.ts';

const WITHOUT_SCRIPT = { javaScriptEnabled: false };

describe('without JavaScript', () => {
  const stage = useStage();

  it('the page reloads itself until the user can continue with a button', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop(WITHOUT_SCRIPT));
    expect(await screen.getByText('This QR code expires in').isVisible()).to.equal(false);
    const phone = await scanByHand(stage(), screen);
    await screen.getByRole('heading', { name: /^Scanned by / }).waitFor();
    await approve(phone);
    await screen.getByRole('heading', { name: 'Approved. Signing you in' }).waitFor();
    await screen.getByRole('button', { name: 'Continue' }).click();
    expect(await allow(screen)).to.include({ iss: stage().issuer, sub: 'a11ce' });
  });

  inFullSuite(() =>
    it('a denial is shown, and a button leads back to the app', async () => {
      const screen = await askToSignIn(stage(), await stage().desktop(WITHOUT_SCRIPT));
      await deny(await scanByHand(stage(), screen));
      await screen.getByRole('heading', { name: 'This sign-in was not approved' }).waitFor();
      await screen.getByRole('button', { name: 'Cancel and go back to Demo app' }).click();
      expect(await errorOn(screen)).to.equal('access_denied');
    }),
  );

  inFullSuite(() =>
    it('an expired code is replaced when the page reloads itself', async () => {
      const screen = await askToSignIn(stage(), await stage().desktop(WITHOUT_SCRIPT));
      const code = await codeOn(screen);
      stage().clock.forward(121);
      await screen.waitForEvent('framenavigated');
      expect(await codeOn(screen)).not.to.equal(code);
      await scanByHand(stage(), screen);
      await screen.getByRole('heading', { name: /^Scanned by / }).waitFor();
    }),
  );

  it('the cancel button leads back to the app', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop(WITHOUT_SCRIPT));
    await screen.getByRole('button', { name: 'Cancel and go back to Demo app' }).click();
    expect(await errorOn(screen)).to.equal('access_denied');
  });
});

describe('the check code without JavaScript', () => {
  const stage = useStage({ assess: () => 'check code' });

  it('is typed into the form, and a wrong code leads to an error page with a link back', async () => {
    stage().expectProblem(/403/);
    const screen = await askToSignIn(stage(), await stage().desktop(WITHOUT_SCRIPT));
    const phone = await scanByHand(stage(), screen);
    await approve(phone);
    const digits = await checkCodeOn(phone);

    await screen.getByLabel('6-digit number').fill(otherThan(digits));
    await screen.getByRole('button', { name: 'Continue' }).click();
    expect(await errorOn(screen)).to.equal('wrong_check_code');
    await screen.getByRole('link', { name: 'Back to the sign-in' }).click();

    await screen.getByLabel('6-digit number').fill(digits);
    await screen.getByRole('button', { name: 'Continue' }).click();
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  inFullSuite(() =>
    it('ends the sign-in after three wrong tries, and a button shows a new code', async () => {
      stage().expectProblem(/403/);
      const screen = await askToSignIn(stage(), await stage().desktop(WITHOUT_SCRIPT));
      const code = await codeOn(screen);
      const phone = await scanByHand(stage(), screen);
      await approve(phone);
      const wrong = otherThan(await checkCodeOn(phone));
      for (let tries = 1; tries <= 3; tries++) {
        await screen.getByLabel('6-digit number').fill(wrong);
        await screen.getByRole('button', { name: 'Continue' }).click();
        await screen.getByRole('link', { name: 'Back to the sign-in' }).click();
      }
      await screen.getByRole('heading', { name: 'The number was wrong' }).waitFor();
      await screen.getByRole('button', { name: 'Show a new QR code' }).click();
      await seeCode(screen);
      expect(await codeOn(screen)).not.to.equal(code);
    }),
  );
});

/** Scans with the button of the landing page, as a phone without JavaScript does. */
async function scanByHand(stage: Stage, screen: Page): Promise<Page> {
  const phone = await stage.open(await signedInPhone(stage, WITHOUT_SCRIPT), await codeOn(screen));
  await phone.getByRole('heading', { name: 'Sign in on another device' }).waitFor();
  await phone.getByRole('button', { name: 'Continue' }).click();
  await phone.getByRole('heading', { name: 'Sign in to Demo app?' }).waitFor();
  return phone;
}
