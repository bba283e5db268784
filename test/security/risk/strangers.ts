/** Row 16, the other way round: reports must not keep anybody out but those who were reported. */
import { KeyvNotes } from '../../../src/stores/memory/notes.ts';
import type { Site } from '../../support/visitors.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { browserAt, decided, phoneOf, type Sent, scanned, signedInBy } from '../meeting.ts';
import { all, doubtsAboutAddresses } from '../weaknesses.ts';

/** A report that holds for every account and every address. */
const oneForAll: Weakness = {
  name: 'a report for each account and each address',
  patch: all(
    replacing(
      KeyvNotes.prototype,
      'write',
      (original) =>
        function (this: KeyvNotes, name, lasts, value) {
          return original.call(this, ofEverybody(name), lasts, value);
        },
    ),
    replacing(
      KeyvNotes.prototype,
      'read',
      (original) =>
        function (this: KeyvNotes, name) {
          return original.call(this, ofEverybody(name));
        },
    ),
  ),
};

/** Other notes than reports, of sessions that have ended, stay as they are. */
function ofEverybody(name: string): string {
  return name.startsWith('ended:') ? name : 'everybody';
}

const ATTACKER = { 'x-forwarded-for': '198.51.100.66' };
const HOME = { 'x-forwarded-for': '203.0.113.7' };

async function reports(site: Site, name: string, browserHeaders: Sent): Promise<void> {
  const [browser, phone] = [await browserAt(site, browserHeaders), await phoneOf(site, name)];
  await scanned(phone, browser);
  const { status } = await decided(phone, { decision: 'report' });
  if (status !== 200) throw new Error(`the report is answered with ${status}`);
}

/** Alice signs her own browser in. */
async function keptOut(site: Site): Promise<string | undefined> {
  const [browser, phone] = [await browserAt(site, HOME), await phoneOf(site, 'alice', HOME)];
  await scanned(phone, browser);
  await decided(phone, { decision: 'approve' });
  return (await signedInBy(browser, await browser.finish())) === 'a11ce' ? undefined : 'alice cannot sign in any more';
}

export const strangers: Attack[] = [
  {
    row: 16,
    name: "scans what the victim's browser shows and reports it, to keep the victim out",
    on: { proxy: true },
    without: oneForAll,
    run: async (site) => {
      await reports(site, 'bob', HOME);
      return keptOut(site);
    },
  },
  {
    row: 16,
    name: 'gets itself reported by the victim, to keep the victim out everywhere',
    on: { proxy: true },
    without: oneForAll,
    run: async (site) => {
      await reports(site, 'alice', ATTACKER);
      return keptOut(site);
    },
  },
  {
    row: 18,
    name: "says that it comes from the victim's address and gets itself reported, to keep the victim out",
    on: { proxy: true },
    without: doubtsAboutAddresses,
    run: async (site) => {
      await reports(site, 'alice', { 'x-forwarded-for': `${HOME['x-forwarded-for']}, ${ATTACKER['x-forwarded-for']}` });
      return keptOut(site);
    },
  },
];
