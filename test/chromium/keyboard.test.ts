import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { askToSignIn, checkCodeOn, claimsOn, fillInPasswordPage, seeScreen, waitForYes } from './acts.ts';
import { scan } from './phones.ts';
import { useStage } from './use-stage.ts';

/** A number that is greater than that of the focusable elements on any page. */
const MAX_STOPS = 30;

describe('a user with only a keyboard', () => {
  const stage = useStage({ assess: () => 'check code' });

  it('can approve on one device, type the number on the other, consent, and be signed in', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const phone = await scan(stage(), screen);
    await waitForYes(phone);
    await seeScreen(screen, 'scanned');
    await press(phone, 'Yes, sign in');
    await phone.locator('.check-code').waitFor();
    const digits = await checkCodeOn(phone);
    await seeScreen(screen, 'check-code');
    // The field has the focus already, and the sixth digit sends the form.
    await screen.keyboard.type(digits);
    await screen.getByRole('button', { name: 'Allow' }).waitFor();
    await press(screen, 'Allow');
    expect((await claimsOn(screen)).sub).to.equal('a11ce');
  });

  it('can see the focus on each link and button', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    for (const name of ["Open the QR code's link", 'Sign in with a password', 'Cancel and go back to Demo app']) {
      await reach(screen, name);
      expect(await screen.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle')).to.equal('solid');
    }
  });

  it('can reach the password page', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    await press(screen, 'Sign in with a password');
    await screen.locator('#password').waitFor();
    await fillInPasswordPage(screen);
    await screen.getByRole('button', { name: 'Allow' }).waitFor();
  });
});

async function press(page: Page, name: string): Promise<void> {
  await reach(page, name);
  await page.keyboard.press('Enter');
}

/** Moves the focus to the element with the Tab key. @throws Error if that does not reach it */
async function reach(page: Page, name: string): Promise<void> {
  for (let stops = 0; stops < MAX_STOPS; stops++) {
    await page.keyboard.press('Tab');
    if ((await focusedOn(page)) === name) return;
  }
  throw new Error(`the Tab key does not reach "${name}"`);
}

function focusedOn(page: Page): Promise<string> {
  return page.evaluate<string>('document.activeElement?.textContent.trim() ?? ""');
}
