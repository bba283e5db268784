import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { askToSignIn, checkCodeOn, claimsOn, giveName, seeScreen, waitForYes } from './acts.ts';
import { scan } from './phones.ts';
import { useStage } from './use-stage.ts';

/** More than any page has. */
const MOST_STOPS = 30;

describe('whoever has a keyboard and nothing else', () => {
  const stage = useStage({ assess: () => 'check code' });

  it('approves on one device, types the digits on the other, consents, and is signed in', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const phone = await scan(stage(), screen);
    await waitForYes(phone);
    await seeScreen(screen, 'scanned');
    await press(phone, 'Yes, sign in');
    await phone.locator('.check-code').waitFor();
    const digits = await checkCodeOn(phone);
    await seeScreen(screen, 'check-code');
    // The field has the focus already.
    await screen.keyboard.type(digits);
    await screen.keyboard.press('Enter');
    await screen.getByRole('button', { name: 'Allow' }).waitFor();
    await press(screen, 'Allow');
    expect((await claimsOn(screen)).sub).to.equal('a11ce');
  });

  it('sees where the focus is, on whatever it is', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    for (const name of ["Open the code's address", 'Sign in with a password', 'Cancel and go back to Demo app']) {
      await reach(screen, name);
      expect(await screen.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle')).to.equal('solid');
    }
  });

  it('goes another way, to the password page', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    await press(screen, 'Sign in with a password');
    await screen.locator('#password').waitFor();
    await giveName(screen);
    await screen.getByRole('button', { name: 'Allow' }).waitFor();
  });
});

async function press(page: Page, name: string): Promise<void> {
  await reach(page, name);
  await page.keyboard.press('Enter');
}

/** Goes there with the Tab key. */
async function reach(page: Page, name: string): Promise<void> {
  for (let stops = 0; stops < MOST_STOPS; stops++) {
    await page.keyboard.press('Tab');
    if ((await focusedOn(page)) === name) return;
  }
  throw new Error(`the Tab key does not reach "${name}"`);
}

function focusedOn(page: Page): Promise<string> {
  return page.evaluate<string>('document.activeElement?.textContent.trim() ?? ""');
}
