/**
 * Rows 15, 16 and 26 of the table in docs/security.md: one of many requests wins, no step is skipped or repeated, and
 * the sign-in is as approved.
 */
import { PhoneActs } from '../../../src/ticket/phone.ts';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import type { BrowserVisitor } from '../../support/visitors.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import {
  accountAt,
  expectStatus,
  goOn,
  openQrPage,
  scanAndApprove,
  scanOnPhone,
  signInPhone,
  stealCookies,
} from '../scene.ts';
import { all, askingForTheCheckCode, asWaiting, bindingFromTheUrl, browserFinds, phoneFinds } from '../weaknesses.ts';
import { attacks as afterTheEnd } from './after-the-end.ts';
import { attacks as asApproved } from './as-approved.ts';
import { attacks as atOnce } from './races.ts';

/** A store that forgets decisions. */
const forgetful: Weakness = {
  defence: 'a store that remembers decisions',
  patch: phoneFinds((ticket) => {
    const { state } = ticket;
    if (state !== 'approved' && state !== 'denied') return ticket;
    return { ...asWaiting(ticket), state: 'scanned', approver: ticket.approver };
  }),
};

/** A server that treats a scanned ticket as approved. */
const approvedByScan: Weakness = {
  defence: 'the wait for the decision',
  patch: browserFinds((ticket) =>
    ticket.state === 'scanned'
      ? { ...asWaiting(ticket), state: 'approved', approver: ticket.approver, remember: false }
      : ticket,
  ),
};

/** A server that itself scans the ticket before an approval, if the phone has not scanned it. */
const approvesUnscanned: Weakness = {
  defence: 'the scan before the decision',
  patch: all(
    replacing(
      PhoneActs.prototype,
      'look',
      (original) =>
        async function (this: PhoneActs, id, approver) {
          await this.scan(id, approver);
          return original.call(this, id, approver);
        },
    ),
    replacing(
      PhoneActs.prototype,
      'approve',
      (original) =>
        async function (this: PhoneActs, id, approving) {
          await this.scan(id, approving.approver);
          return original.call(this, id, approving);
        },
    ),
  ),
};

const withoutCheckCode = (ticket: Ticket): Ticket => {
  if (ticket.state !== 'approved') return ticket;
  const { checkCode: _checkCode, ...rest } = ticket;
  return rest;
};

/** Tries to finish and follows the answer. @returns the session that the browser then has */
async function sessionBy(browser: BrowserVisitor, checkCode?: string): Promise<string | undefined> {
  const answer = await browser.finish(checkCode);
  if (answer.status === 200) await goOn(browser, answer.json().redirectTo);
  const account = await accountAt(browser.site, browser.agent);
  return account && `the session of ${account}`;
}

export const attacks: readonly Attack[] = [
  ...atOnce,
  {
    row: 16,
    name: 'denies an approved ticket',
    run: async (site) => {
      const { browser, phone } = await scanAndApprove(site);
      const { status } = await phone.decide('deny');
      const { state } = await browser.ticket();
      return status === 200 || state !== 'approved' ? `a ticket that is ${state}` : undefined;
    },
    without: forgetful,
  },
  {
    row: 16,
    name: 'approves a denied ticket and finishes it',
    run: async (site) => {
      const { browser, phone } = await scanOnPhone(site);
      expectStatus(await phone.decide('deny'), 200, 'denying');
      const { checkCode } = await phone.approve();
      return sessionBy(browser, checkCode === undefined ? undefined : `${checkCode}`);
    },
    without: forgetful,
  },
  {
    row: 16,
    name: 'approves a ticket again to make it live longer',
    run: async (site) => {
      const { browser, phone } = await scanAndApprove(site);
      const { version } = await browser.ticket();
      expectStatus(await phone.decide('approve'), 200, 'repeating');
      const after = await browser.ticket();
      return after.version === version ? undefined : `a ticket that was written again: ${JSON.stringify(after)}`;
    },
    without: forgetful,
  },
  {
    row: 16,
    name: 'finishes after the scan without a decision',
    run: async (site) => sessionBy((await scanOnPhone(site)).browser),
    without: approvedByScan,
  },
  {
    row: 16,
    name: 'approves without a scan, with the form of the landing page',
    run: async (site) => {
      const [browser, phone] = await Promise.all([openQrPage(site), signInPhone(site, 'bob')]);
      const code = await browser.code();
      const { csrf } = expectStatus(await phone.look(code), 200, 'the landing page').json();
      const id = Buffer.from(code.split('/').at(-1) ?? '', 'base64url').toString('base64url', 0, 18);
      await phone.post(`${site.issuer}/qr/tickets/${id}`, { csrf: `${csrf}`, decision: 'approve' });
      const { state } = await browser.ticket();
      return state === 'waiting' ? undefined : `a ticket that is ${state}`;
    },
    without: approvesUnscanned,
  },
  {
    row: 16,
    name: 'finishes without the check code',
    on: askingForTheCheckCode,
    run: async (site) => {
      const { browser, checkCode } = await scanAndApprove(site);
      if (checkCode === undefined) throw new Error('no check code is asked for');
      const attempts: Record<string, string>[] = [
        {},
        { checkCode: '' },
        { checkcode: checkCode },
        { checkCode: 'true' },
      ];
      for (const fields of attempts) await browser.post(`${browser.at}/qr/finish`, fields);
      return sessionBy(browser);
    },
    without: { defence: 'the check code', patch: browserFinds(withoutCheckCode) },
  },
  {
    row: 16,
    name: 'repeats the finish of one browser in another one',
    run: async (site) => {
      const { browser, checkCode } = await scanAndApprove(site);
      expectStatus(await browser.finish(checkCode), 200, 'finishing');
      const attacker = await stealCookies(browser, (cookie) => cookie.startsWith('_interaction'));
      const { status, text } = await attacker.finish(checkCode);
      return status === 200 ? text : undefined;
    },
    without: { defence: 'the binding cookie', patch: bindingFromTheUrl },
  },
  ...afterTheEnd,
  ...asApproved,
];
