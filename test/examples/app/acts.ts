/** Acts as users do in the app, and opens browsers that show a code. */
import type { Page } from 'playwright-core';
import { askToSignIn, codeOn } from '../../chromium/acts.ts';
import type { AppStage } from './use-app.ts';

/** The heading of a request by the demo RP. */
export const REQUEST = 'Sign in to Demo app?';

export function see(page: Page, heading: string): Promise<void> {
  return page.getByRole('heading', { name: heading }).waitFor();
}

export function press(page: Page, button: string): Promise<void> {
  return page.getByRole('button', { name: button }).click();
}

/** Opens a browser that shows a code. */
export async function newScreen({ stage }: AppStage): Promise<Page> {
  return askToSignIn(stage(), await stage().desktop());
}

/** Opens the code on the screen as a link in the app, and presses the button to continue. */
export async function openCode({ url }: AppStage, page: Page, screen: Page): Promise<void> {
  await page.goto(`${url()}${new URL(await codeOn(screen)).pathname}`);
  await press(page, 'Continue');
  await see(page, REQUEST);
}
