import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { claimsOn, seeScreen } from '../../chromium/acts.ts';
import { newScreen, openCode, press, see } from './acts.ts';
import { useApp } from './use-app.ts';

describe('a sign-in by the app in a browser that shows a number', () => {
  const app = useApp({ checkCodeEntry: 'tap', assess: () => 'check code' });

  const meet = async (): Promise<{ screen: Page; page: Page; number: string }> => {
    const screen = await newScreen(app);
    const page = await app.openSignedIn(await app.phone());
    await openCode(app, page, screen);
    await seeScreen(screen, 'scanned');
    const number = (await screen.locator('[data-number] strong').textContent()) ?? '';
    return { screen, page, number };
  };

  it('succeeds after a tap on the same number', async () => {
    const { screen, page, number } = await meet();
    const group = page.getByRole('group', { name: 'Which number is on the other device?' });
    expect(await group.getByRole('button').count()).to.equal(3);
    expect(await page.getByRole('button', { name: 'Yes, sign in' }).count()).to.equal(0);
    await group.getByRole('button', { name: number, exact: true }).click();
    expect(await claimsOn(screen)).to.include({ sub: 'a11ce' });
    await see(page, 'Signed in');
  });

  it('ends on both sides after a tap on another number', async () => {
    const { screen, page, number } = await meet();
    const buttons = page.getByRole('group', { name: 'Which number is on the other device?' }).getByRole('button');
    await buttons.filter({ hasNotText: number }).first().click();
    await page.getByRole('paragraph').getByText('The number was wrong').waitFor();
    await seeScreen(screen, 'wrong-codes');
  });

  it('ends after a tap on "None of these"', async () => {
    const { screen, page } = await meet();
    await press(page, 'None of these');
    await see(page, 'Declined');
    await seeScreen(screen, 'denied');
  });
});
