/** What QRLJacking begins with: an attacker's page, and a victim with a phone who points it there. */
import type { BrowserContext, Page } from 'playwright-core';
import type { QrLoginOptions } from '../../src/index.ts';
import { approve, arriveAtConfirm, giveName } from '../chromium/acts.ts';
import { readCodeOtherThan, ticketIn } from '../chromium/qr-from-pixels.ts';
import type { Stage } from '../chromium/stage.ts';
import { AttackerSite } from './attacker-site.ts';

const ATTACKER: string = '203.0.113.9';
export const ELSEWHERE: string = '192.0.2.30';
export const VICTIM: string = '198.51.100.7';

export const PLACES: Readonly<Record<string, { country: string; city: string }>> = {
  [ATTACKER]: { country: 'PT', city: 'Lisbon' },
  [VICTIM]: { country: 'DE', city: 'Berlin' },
};

/** As a deployment has it that leaves everything as it is: Stage's own options are for tests that need less. */
export const BY_DEFAULT = { assess: undefined, limits: undefined } as unknown as Partial<QrLoginOptions>;

const sites: AttackerSite[] = [];

// Beside every suite: what a test has opened is closed after it.
afterEach(async () => {
  for (const site of sites.splice(0)) await site.close();
});

export async function attackerAt(stage: Stage, address: string = ATTACKER): Promise<AttackerSite> {
  const site = await AttackerSite.open(stage, address);
  sites.push(site);
  return site;
}

/** Somebody's phone, signed in at the provider, in a network of its own. */
export async function phoneOf(
  stage: Stage,
  name: string = 'alice',
  password: string = 'wonderland',
): Promise<BrowserContext> {
  const phone = await stage.phone({ extraHTTPHeaders: { 'x-forwarded-for': VICTIM } });
  const page = await stage.open(phone, `${stage.issuer}/account`);
  await giveName(page, name, password);
  await page.getByRole('heading', { name: /^Hello / }).waitFor();
  return phone;
}

/** Opens the attacker's page on another screen. */
export async function lured(stage: Stage, site: AttackerSite): Promise<Page> {
  return stage.open(await stage.desktop({ viewport: { width: 480, height: 560 } }), site.url('/'));
}

/** What each screen showed when a phone was pointed at it last. */
export const shown: WeakMap<Page, string> = new WeakMap();

/** Waits until that screen shows another sign-in than the one that was scanned last: codes of the same one differ as they rotate. */
export async function showsAnother(lure: Page): Promise<void> {
  const last = shown.get(lure) ?? '';
  let code = last;
  while (ticketIn(code) === ticketIn(last)) code = await readCodeOtherThan(lure, code);
  shown.delete(lure);
}

/** Points the phone at that screen, once it shows something new. @returns the phone's page */
export async function pointAt(stage: Stage, phone: BrowserContext, lure: Page): Promise<Page> {
  const code = await readCodeOtherThan(lure, shown.get(lure) ?? '');
  shown.set(lure, code);
  return stage.open(phone, code);
}

/** @returns the phone's page, which asks for a decision */
export async function scan(stage: Stage, phone: BrowserContext, lure: Page): Promise<Page> {
  const page = await pointAt(stage, phone, lure);
  await arriveAtConfirm(page);
  return page;
}

/** All that the victim does for the attacker. @returns the phone's page */
export async function scanAndApprove(stage: Stage, site: AttackerSite): Promise<Page> {
  const page = await scan(stage, await phoneOf(stage), await lured(stage, site));
  await approve(page);
  return page;
}
