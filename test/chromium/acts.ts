/** What people do, as the tests tell it. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { readCode } from './qr-from-pixels.ts';
import type { Stage } from './stage.ts';

/** Opens the demo app and chooses "Sign in". @returns the page, which shows a code */
export async function askToSignIn(stage: Stage, desktop: BrowserContext): Promise<Page> {
  const page = await stage.open(desktop, stage.rpUrl);
  await page.getByRole('link', { name: 'Sign in' }).click();
  await page.waitForSelector('[data-code] svg');
  return page;
}

/** Fills in the password page that the phone was sent to. */
export async function giveName(page: Page, name = 'alice', password = 'wonderland'): Promise<void> {
  // In whichever language it is.
  await page.locator('#name').fill(name);
  await page.locator('#password').fill(password);
  await page.locator('form button').click();
}

/** A phone that is signed in already, as alice. */
export async function signedInPhone(stage: Stage, browser?: Browser): Promise<BrowserContext> {
  const phone = await stage.phone({}, browser);
  const page = await stage.open(phone, `${stage.issuer}/account`);
  await giveName(page);
  await page.getByRole('heading', { name: 'Hello Alice Liddell' }).waitFor();
  return phone;
}

/** Points a phone at the screen; it signs in if it has to. @returns the phone's page, which asks for a decision */
export async function scan(stage: Stage, phone: BrowserContext, screen: Page): Promise<Page> {
  const page = await stage.open(phone, await readCode(screen));
  await arriveAtConfirm(page);
  return page;
}

/** From the landing page on, by way of the password page where the phone is not signed in. */
export async function arriveAtConfirm(page: Page): Promise<void> {
  const confirm = page.getByRole('button', { name: 'No, stop this' });
  const password = page.getByLabel('Password');
  await confirm.or(password).waitFor();
  if (await password.isVisible()) await giveName(page);
  await confirm.waitFor();
}

export async function approve(phone: Page): Promise<void> {
  await phone.getByRole('button', { name: 'Yes, sign in' }).click();
  await phone.waitForSelector('.mark-yes, .check-code');
}

export async function deny(phone: Page): Promise<void> {
  await phone.getByRole('button', { name: 'No, stop this' }).click();
  await phone.getByRole('heading', { name: 'Stopped' }).waitFor();
}

/** The six digits on the phone. */
export async function checkCodeOn(phone: Page): Promise<string> {
  const [shown = ''] = await phone.locator('.check-code').allInnerTexts();
  return shown.replace(/\s/g, '');
}

/** Six digits that are not these. */
export function otherThan(digits: string): string {
  return `${(Number(digits) + 1) % 1_000_000}`.padStart(6, '0');
}

/** Consents. @returns what the ID token says */
export async function allow(page: Page): Promise<Record<string, unknown>> {
  await page.getByRole('button', { name: 'Allow' }).click();
  return claimsOn(page);
}

export async function claimsOn(page: Page): Promise<Record<string, unknown>> {
  return JSON.parse((await page.locator('#claims').textContent()) ?? '');
}

/** The error that the demo app was sent. */
export async function errorOn(page: Page): Promise<string> {
  return (await page.locator('[data-error]').getAttribute('data-error')) ?? '';
}

/** Waits until the QR page shows this part. */
export async function seeScreen(page: Page, name: string): Promise<void> {
  await page.waitForSelector(`[data-screen="${name}"]`);
}
