/** Takes the first steps of QRLJacking: opens an attacker's page, and scans its code with a victim's phone. */
import type { BrowserContext, Page } from 'playwright-core';
import type { QrLoginOptions } from '../../../src/index.ts';
import { approve } from '../../chromium/acts.ts';
import { type ScannedPhone, scanCode, scanCodeBeside, signedInPhone } from '../../chromium/phones.ts';
import type { Stage } from '../../chromium/stage.ts';
import { AttackerSite } from './attacker-site.ts';

const ATTACKER: string = '203.0.113.9';
export const ELSEWHERE: string = '192.0.2.30';
export const VICTIM: string = '198.51.100.7';
const FROM_VICTIM = { 'x-forwarded-for': VICTIM };

export const PLACES: Readonly<Record<string, { country: string; city: string }>> = {
  [ATTACKER]: { country: 'PT', city: 'Lisbon' },
  [VICTIM]: { country: 'DE', city: 'Berlin' },
};

/** The defaults of the plugin, because Stage sets other options for its tests. */
export const BY_DEFAULT = { assess: undefined, limits: undefined } as unknown as Partial<QrLoginOptions>;

/** Opens the attacker's site, which is closed with the stage. */
export async function openAttackerSite(stage: Stage, address: string = ATTACKER): Promise<AttackerSite> {
  const site = await AttackerSite.open(stage, address);
  stage.atEnd(() => site.close());
  return site;
}

/** Returns a phone that is signed in at the provider, in a separate network. */
export function phoneOf(stage: Stage, name: string = 'alice'): Promise<BrowserContext> {
  return signedInPhone(stage, { name, extraHTTPHeaders: FROM_VICTIM });
}

/** Opens the attacker's page on the victim's computer. */
export async function openLure(stage: Stage, site: AttackerSite): Promise<Page> {
  return stage.open(await stage.desktop({ viewport: { width: 480, height: 560 } }), site.url('/'));
}

/** Scans the code of the attacker's page. @returns the phone's page, which asks for a decision */
export async function scan(stage: Stage, phone: BrowserContext, site: AttackerSite): Promise<Page> {
  return scanCode(stage, await site.code(), phone);
}

/** Scans and approves as the victim. @returns the phone's page */
export async function scanAndApprove(stage: Stage, site: AttackerSite): Promise<Page> {
  const page = await scan(stage, await phoneOf(stage), site);
  await approve(page);
  return page;
}

/** Scans and approves without a page, for tests that do not look at the victim's screen. @returns the phone */
export async function approveBeside(stage: Stage, site: AttackerSite): Promise<ScannedPhone> {
  const phone = await scanCodeBeside(stage, await site.code(), FROM_VICTIM);
  await phone.approve();
  return phone;
}
