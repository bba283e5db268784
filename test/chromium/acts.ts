/** Acts as users do on the pages, and reads the pages. */
import { setTimeout as pause } from 'node:timers/promises';
import type { BrowserContext, Page } from 'playwright-core';
import type { Stage } from './stage.ts';

/** Starts a sign-in at the demo app. @returns the QR page, once it shows a code */
export async function askToSignIn(stage: Stage, desktop: BrowserContext): Promise<Page> {
  const page = await stage.open(desktop, `${stage.rpUrl}/login`);
  await seeCode(page);
  return page;
}

/** Waits until the QR page shows a code. */
export async function seeCode(screen: Page): Promise<void> {
  await screen.waitForSelector('[data-code] svg');
}

/**
 * Returns the address in the code that the QR page shows. Takes it from the link beside the code; `readCode` reads the
 * picture.
 */
export async function codeOn(screen: Page): Promise<string> {
  return (await screen.locator('[data-address]').getAttribute('href')) ?? '';
}

/** Waits until the QR page has another code than this one. */
export async function codeAfter(screen: Page, old: string): Promise<string> {
  await screen.locator(`[data-address]:not([href=""], [href="${old}"])`).waitFor({ state: 'attached' });
  return codeOn(screen);
}

/** Fills in the password page to which the phone was sent. */
export async function fillInPasswordPage(page: Page, name = 'alice', password = 'wonderland'): Promise<void> {
  // Find the fields by ids, because the page may be in any language.
  await page.locator('#name').fill(name);
  await page.locator('#password').fill(password);
  await page.locator('form:has(#password) button').click();
}

/** Waits until the phone asks for a decision. */
export async function arriveAtConfirm(phone: Page): Promise<void> {
  await phone.locator('button[value=deny]').waitFor();
}

export async function approve(phone: Page): Promise<void> {
  await pressYes(phone);
  await phone.waitForSelector('.mark-yes, .check-code');
}

/** Waits until Approve can be pressed. The page's script, once it has loaded, disables the button for half a second. */
export async function waitForYes(phone: Page): Promise<void> {
  await phone.locator('button[value=approve]').waitFor();
  await phone.waitForLoadState();
  await phone.locator('button[value=approve]:enabled').waitFor();
}

/** Presses Approve, without waiting for the result. */
export async function pressYes(phone: Page): Promise<void> {
  // Wait first: Playwright retries a click on a disabled button after longer and longer pauses.
  await waitForYes(phone);
  await phone.getByRole('button', { name: 'Yes, sign in' }).click();
}

export async function deny(phone: Page): Promise<void> {
  await phone.getByRole('button', { name: 'No, decline' }).click();
  await phone.getByRole('heading', { name: 'Declined' }).waitFor();
}

/** Returns the six digits on the phone, once it shows them: a script may still be sending the approval. */
export async function checkCodeOn(phone: Page): Promise<string> {
  const shown = (await phone.locator('.check-code').textContent()) ?? '';
  return shown.replace(/\s/g, '');
}

/** Returns six digits that are different from these. */
export function otherThan(digits: string): string {
  return `${(Number(digits) + 1) % 1_000_000}`.padStart(6, '0');
}

/** Presses Allow on the consent page. @returns the claims of the ID token, from the demo app's page */
export async function allow(page: Page): Promise<Record<string, unknown>> {
  await page.getByRole('button', { name: 'Allow' }).click();
  return claimsOn(page);
}

export async function claimsOn(page: Page): Promise<Record<string, unknown>> {
  return JSON.parse((await page.locator('#claims').textContent()) ?? '');
}

/** Returns the code of the error that the demo app shows. */
export async function errorOn(page: Page): Promise<string> {
  return (await page.locator('[data-error]').getAttribute('data-error')) ?? '';
}

/** Waits until the QR page is in the state with this name (`data-screen`). */
export async function seeScreen(page: Page, name: string): Promise<void> {
  await page.waitForSelector(`[data-screen="${name}"]`);
}

/**
 * Makes the page hidden or visible. Chromium without a window never changes the visibility, so this replaces
 * `document.visibilityState`.
 */
export async function turn(page: Page, state: 'hidden' | 'visible'): Promise<void> {
  await page.evaluate(
    `Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
     document.dispatchEvent(new Event('visibilitychange'));`,
  );
}

/**
 * Moves the page's clock forward until the promise settles. The server and the browser itself have their own clocks.
 */
export async function hurry<T>(page: Page, awaited: Promise<T>): Promise<T> {
  let isSettled = false;
  const result = awaited.finally(() => {
    isSettled = true;
  });
  // The caller gets the error from the `return` below.
  result.catch(() => undefined);
  while (!isSettled) {
    // The page may be navigating.
    await page.clock.fastForward(500).catch(() => undefined);
    await pause(20);
  }
  return result;
}
