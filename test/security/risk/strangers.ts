/** Row 16 of the table in docs/security.md: a report must block the reported attacker, but not the victim. */
import { IssuerNotes } from '../../../src/stores/issuer/issuer-notes.ts';
import type { Site } from '../../support/visitors.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { browserAt, followToRp, phoneOf, scanCode, sendDecision, type TextFields } from '../meeting.ts';
import { all, trustsForgedAddresses } from '../weaknesses.ts';

/** A server on which a report applies to every account and every address. */
const oneForAll: Weakness = {
  defence: 'a report for each account and each address',
  patch: all(
    replacing(
      IssuerNotes.prototype,
      'write',
      (original) =>
        function (this: IssuerNotes, name, lasts, value) {
          return original.call(this, sharedName(name), lasts, value);
        },
    ),
    replacing(
      IssuerNotes.prototype,
      'read',
      (original) =>
        function (this: IssuerNotes, name) {
          return original.call(this, sharedName(name));
        },
    ),
  ),
};

/** Returns the same name for all reports. The notes of ended sessions keep their names. */
function sharedName(name: string): string {
  return name.startsWith('ended:') ? name : 'shared';
}

const ATTACKER = { 'x-forwarded-for': '198.51.100.66' };
const HOME = { 'x-forwarded-for': '203.0.113.7' };

async function reportFrom(site: Site, name: string, browserHeaders: TextFields): Promise<void> {
  const [browser, phone] = [await browserAt(site, browserHeaders), await phoneOf(site, name)];
  await scanCode(phone, browser);
  const { status } = await sendDecision(phone, { decision: 'report' });
  if (status !== 200) throw new Error(`the report is answered with ${status}`);
}

/** Signs in alice's own browser. @returns a description if that fails */
async function findLockout(site: Site): Promise<string | undefined> {
  const [browser, phone] = [await browserAt(site, HOME), await phoneOf(site, 'alice', HOME)];
  await scanCode(phone, browser);
  await sendDecision(phone, { decision: 'approve' });
  return (await followToRp(browser, await browser.finish())) === 'a11ce' ? undefined : 'alice cannot sign in any more';
}

export const strangers: Attack[] = [
  {
    row: 16,
    name: "locks the victim out by reporting the code of the victim's browser",
    on: { proxy: true },
    without: oneForAll,
    run: async (site) => {
      await reportFrom(site, 'bob', HOME);
      return findLockout(site);
    },
  },
  {
    row: 16,
    name: 'locks the victim out everywhere by getting itself reported by the victim',
    on: { proxy: true },
    without: oneForAll,
    run: async (site) => {
      await reportFrom(site, 'alice', ATTACKER);
      return findLockout(site);
    },
  },
  {
    row: 18,
    name: "locks the victim out by getting itself reported with the victim's forged address",
    on: { proxy: true },
    without: trustsForgedAddresses,
    run: async (site) => {
      await reportFrom(site, 'alice', {
        'x-forwarded-for': `${HOME['x-forwarded-for']}, ${ATTACKER['x-forwarded-for']}`,
      });
      return findLockout(site);
    },
  },
];
