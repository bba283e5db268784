/**
 * Rows 3 and 4 of the table in docs/security.md: a code that has ended is dead for every step, and only the server
 * makes codes.
 */
import { IssuerNotes } from '../../../src/stores/issuer/issuer-notes.ts';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import type { Answer } from '../../support/agent.ts';
import type { PhoneVisitor, Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, replacing } from '../attack.ts';
import { accountAt, approve, expectStatus, goOn, type ScannedSignIn, scanOnPhone, signInPhone } from '../scene.ts';
import { all, askingForTheCheckCode, asWaiting, lastWriteWins, phoneFinds } from '../weaknesses.ts';
import { attacks as forged } from './forged.ts';
import { attacks as guessed } from './ids.ts';

/** Ends a ticket that Alice's phone has scanned. */
type End = (meeting: ScannedSignIn) => Promise<unknown>;

const ENDS: Record<string, { readonly end: End; readonly on?: WorldOptions }> = {
  used: {
    end: async ({ browser, phone }) => {
      expectStatus(await browser.finish(await approve(phone)), 200, 'finishing');
    },
  },
  denied: { end: async ({ phone }) => expectStatus(await phone.decide('deny'), 200, 'denying') },
  reported: { end: async ({ phone }) => expectStatus(await decideAgain(phone, 'report'), 200, 'reporting') },
  renewed: {
    end: async ({ browser }) => expectStatus(await browser.post(`${browser.at}/qr/renew`, {}), 200, 'renewing'),
  },
  cancelled: {
    end: async ({ browser }) => expectStatus(await browser.post(`${browser.at}/cancel`, {}), 200, 'cancelling'),
  },
  'ended by three wrong check codes': {
    on: askingForTheCheckCode,
    end: async ({ browser, phone }) => {
      const checkCode = Number(await approve(phone));
      for (let wrong = 1; wrong <= 3; wrong++) {
        const digits = `${(checkCode + wrong) % 1_000_000}`.padStart(6, '0');
        expectStatus(await browser.finish(digits), 403, 'a wrong check code');
      }
    },
  },
};

const isEnded = ({ state }: Ticket): boolean => ['redeemed', 'denied', 'cancelled'].includes(state);

/** A store that forgets that a ticket has ended, or that another ticket has replaced it. */
const forgetsTheEnd = all(
  lastWriteWins,
  phoneFinds((ticket) => (isEnded(ticket) ? asWaiting(ticket) : ticket)),
);

/** A store that forgets the decision and reports, but remembers which approver has scanned. */
const forgetsTheDecision = all(
  lastWriteWins,
  replacing(IssuerNotes.prototype, 'read', () => async () => undefined),
  phoneFinds((ticket) => {
    const owned = isEnded(ticket) && 'approver' in ticket ? ticket.approver : undefined;
    return owned === undefined ? ticket : { ...asWaiting(ticket), state: 'scanned', approver: owned };
  }),
);

/** Returns how the ticket has ended, as its approver sees it. */
async function endSeenBy(phone: PhoneVisitor): Promise<string> {
  const { state, because, error, reason } = (await phone.look()).json();
  return JSON.stringify({ state, because, error, reason });
}

/** Decides with the CSRF token of a form that the phone still has. */
async function decideAgain(phone: PhoneVisitor, decision: string, csrf?: string): Promise<Answer> {
  const good = csrf ?? `${(await phone.look()).json().csrf}`;
  return phone.post(phone.at, { csrf: good, decision });
}

/** Tries all steps on a phone of another account that opened the landing page before the ticket ended. */
async function strangerGoesOn(site: Site, end: End): Promise<string | undefined> {
  const [meeting, stranger] = await Promise.all([scanOnPhone(site), signInPhone(site, 'bob')]);
  const { code, phone } = meeting;
  const landed = expectStatus(await stranger.look(code), 200, 'the landing page');
  await end(meeting);
  const csrf = `${landed.json().csrf}`;
  stranger.at = phone.at;
  const answers = [
    await stranger.post(code, { csrf }),
    await stranger.look(),
    await stranger.post(phone.at, { csrf, decision: 'approve' }),
    await stranger.post(phone.at, { csrf, decision: 'deny' }),
  ];
  return answers.find(({ status }) => status === 200)?.text;
}

/** Scans the code again on the same phone and decides differently. After that, the browser tries to finish. */
async function ownerGoesOn(site: Site, end: End): Promise<string | undefined> {
  const meeting = await scanOnPhone(site);
  const { browser, phone, code } = meeting;
  const { csrf } = (await phone.look()).json();
  await end(meeting);
  const ended = await endSeenBy(phone);
  // A repeated act is answered with the ticket as it stands, and must not change it.
  const acts = [
    () => phone.post(code, { csrf: `${csrf}` }),
    () => decideAgain(phone, 'approve', `${csrf}`),
    () => decideAgain(phone, 'deny', `${csrf}`),
  ];
  for (const act of acts) {
    await act();
    const now = await endSeenBy(phone);
    if (now !== ended) return `the ticket that was ${ended} is ${now}`;
  }
  // A report counts at any time, but does not revive the code.
  await decideAgain(phone, 'report', `${csrf}`);
  return signedInAt(site, meeting, browser.at);
}

/** Tries to finish, unless the ticket was redeemed before. @returns the session that the browser gets */
async function signedInAt(site: Site, { browser, code }: ScannedSignIn, at: string): Promise<string | undefined> {
  const { state } = await browser.ticket();
  if (state === 'redeemed') return undefined;
  const answer = await browser.post(`${at}/qr/finish`, {});
  if (answer.status === 200) await goOn(browser, answer.json().redirectTo);
  const account = await accountAt(site, browser.agent);
  return account === undefined ? undefined : `the session of ${account} with ${code}`;
}

const dead = Object.entries(ENDS).flatMap(([how, { end, on }]): Attack[] => [
  {
    row: 3,
    name: `another phone uses a code that was ${how}`,
    ...(on && { on }),
    run: (site) => strangerGoesOn(site, end),
    without: { defence: 'a store that remembers the end of a ticket', patch: forgetsTheEnd },
  },
  {
    row: 3,
    name: `the phone that scanned goes on with a code that was ${how}`,
    ...(on && { on }),
    run: (site) => ownerGoesOn(site, end),
    without: { defence: 'a store that remembers the decision', patch: forgetsTheDecision },
  },
]);

export const attacks: readonly Attack[] = [...dead, ...forged, ...guessed];
