import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { inFullSuite } from '../support/full-suite.ts';
import { allow, askToSignIn, checkCodeOn, seeScreen, waitForYes } from './acts.ts';
import { signedInPhone } from './phones.ts';
import { useStage } from './use-stage.ts';

const SHORT_CODE = /^[2-8FKLMQRWXY]{4}-[2-8FKLMQRWXY]{4}$/;

describe('the short code in a real browser', () => {
  const stage = useStage({ shortCode: true });

  it('signs in without a scan, with only a keyboard on both devices', async () => {
    stage().expectProblem(/404/);
    const screen = await askToSignIn(stage(), await stage().desktop());
    const context = await signedInPhone(stage());
    const phone = await stage().open(context, `${stage().issuer}/qr/scan`);

    await tabTo(phone, '#short-code');
    await phone.keyboard.type('qlmy 2568');
    await phone.keyboard.press('Enter');
    await phone.getByRole('alert').filter({ hasText: 'No device shows this backup code now' }).waitFor();
    expect(await isFocused(phone, '#short-code')).to.equal(true);
    const field = phone.getByLabel('Backup code');
    expect(await field.inputValue()).to.equal('qlmy 2568');
    expect(await field.getAttribute('aria-invalid')).to.equal('true');

    await phone.keyboard.press('Control+A');
    await phone.keyboard.type((await shortCodeOn(screen)).toLowerCase());
    await phone.keyboard.press('Enter');
    await seeScreen(screen, 'scanned');
    await waitForYes(phone);
    await tabTo(phone, 'button[value=approve]');
    await phone.keyboard.press('Enter');
    await phone.waitForSelector('.check-code');

    await seeScreen(screen, 'check-code');
    // The sixth digit sends the form.
    await screen.keyboard.type(await checkCodeOn(phone));
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  it('changes with the ticket, also for screen readers', async () => {
    stage().expectProblem(/ERR_INCOMPLETE_CHUNKED_ENCODING/);
    const screen = await askToSignIn(stage(), await stage().desktop());
    const before = await shortCodeOn(screen);
    expect(await spelledOn(screen)).to.equal([...before].join(' '));
    stage().clock.forward(121);
    stage().cutConnections();
    await screen.locator('[data-short-code]', { hasNotText: before }).waitFor();
    const after = await shortCodeOn(screen);
    expect(await spelledOn(screen)).to.equal([...after].join(' '));
  });

  inFullSuite(() =>
    it('works without JavaScript on both devices', async () => {
      const screen = await askToSignIn(stage(), await stage().desktop({ javaScriptEnabled: false }));
      const context = await signedInPhone(stage(), { javaScriptEnabled: false });
      const phone = await stage().open(context, `${stage().issuer}/qr/scan`);
      await phone.getByLabel('Backup code').fill(await shortCodeOn(screen));
      await phone.getByRole('button', { name: 'Continue' }).click();
      await phone.getByRole('button', { name: 'Yes, sign in' }).click();
      await phone.waitForSelector('.check-code');
      await screen.reload();
      await screen.getByLabel('6-digit number').fill(await checkCodeOn(phone));
      // Only a script could send the form at the sixth digit.
      await screen.getByRole('button', { name: 'Continue' }).click();
      expect((await allow(screen)).sub).to.equal('a11ce');
    }),
  );
});

async function shortCodeOn(screen: Page): Promise<string> {
  const shown = (await screen.locator('[data-short-code]').textContent()) ?? '';
  expect(shown).to.match(SHORT_CODE);
  return shown;
}

async function spelledOn(screen: Page): Promise<string> {
  return (await screen.locator('[data-spelled]').textContent()) ?? '';
}

/** Moves the focus to the element with the Tab key. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 6 && !(await isFocused(page, selector)); presses++) await page.keyboard.press('Tab');
  expect(await isFocused(page, selector)).to.equal(true);
}

function isFocused(page: Page, selector: string): Promise<boolean> {
  return page.evaluate<boolean>(`document.activeElement?.matches('${selector}') ?? false`);
}
