import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { allow, askToSignIn, seeScreen } from './acts.ts';
import { AXE, barriers } from './axe.ts';
import { scan } from './phones.ts';
import { useStage } from './use-stage.ts';

const SMALL = { width: 360, height: 640 };

describe('a tap on the number that the browser shows', () => {
  const stage = useStage({ checkCodeEntry: 'tap', assess: () => 'check code' });

  const openBoth = async (): Promise<{ screen: Page; phone: Page; number: string }> => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const phone = await scan(stage(), screen);
    await phone.setViewportSize(SMALL);
    await seeScreen(screen, 'scanned');
    const number = (await screen.locator('[data-number] strong').textContent()) ?? '';
    await phone.locator('button[name=match]:enabled').first().waitFor();
    return { screen, phone, number };
  };

  it('signs in without typing, on accessible pages that fit a screen of 360 by 640 pixels', async () => {
    const { screen, phone, number } = await openBoth();
    for (const page of [screen, phone]) {
      await page.evaluate(readFileSync(AXE, 'utf8'));
      expect(await barriers(page)).to.deep.equal([]);
    }
    const buttons = phone.locator('button[name=match], button[value=deny]');
    expect(await buttons.count()).to.equal(4);
    for (const button of await buttons.all()) {
      const { y = 0, height = 0 } = (await button.boundingBox()) ?? {};
      expect(y + height).to.be.at.most(SMALL.height);
      expect(height).to.be.at.least(44);
    }
    await phone.getByRole('group', { name: 'Which number is on the other device?' }).waitFor();
    await phone.getByRole('button', { name: number, exact: true }).click();
    expect((await allow(screen)).sub).to.equal('a11ce');
    await phone.getByRole('heading', { name: 'Signed in' }).waitFor();
  });

  it('ends the sign-in on both sides if the tapped number is wrong', async () => {
    const { screen, phone, number } = await openBoth();
    stage().expectProblem(/410/);
    await phone.locator(`button[name=match]:not([value="${number}"])`).first().click();
    await phone.getByRole('heading', { name: 'That is not the right number' }).waitFor();
    await seeScreen(screen, 'wrong-codes');
    await screen.getByRole('heading', { name: 'The number was wrong' }).waitFor();
  });

  it('on "None of these" ends the sign-in on both sides', async () => {
    const { screen, phone } = await openBoth();
    await phone.getByRole('button', { name: 'None of these' }).click();
    await phone.getByRole('heading', { name: 'Declined' }).waitFor();
    await screen.waitForURL(/error=access_denied/);
  });
});
