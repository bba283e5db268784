/**
 * Row 39 of the table in docs/security.md: a phone enrols a browser only with a passkey and the digits, only for the
 * key that the action was made for, and only if the user was shown what is approved.
 */
import { EnrolmentRequests } from '../../../src/http/browser/enrolment-request.ts';
import { Enrolments } from '../../../src/http/devices/enrolments.ts';
import { SignInRevocation } from '../../../src/http/devices/revocation.ts';
import { Approvals } from '../../../src/http/phone/approval.ts';
import type { BrowserKey } from '../../../src/ticket/browsers/browser-key.ts';
import { TestBrowserKey } from '../../support/browser-key.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { phoneWithPasskey } from '../guard/people.ts';
import { browserAt, phoneOf, scanCode } from '../meeting.ts';
import { browserFinds } from '../weaknesses.ts';
import { approveEnrolment, askToEnrol, copyOf, decisionPage, hasEnrolled } from './asking.ts';

/** Every account is used in enrolled browsers only, and its phone enrols them. Sign-ins need no check code. */
const byPhone: WorldOptions = { passkeys: true, qrLogin: { enrolled: () => true, enrolByPhone: true } };

/** The act of the owner at the moment at which the server looks up the account that has approved. */
let meanwhile: (() => Promise<unknown>) | undefined;
const racing: WorldOptions = {
  ...byPhone,
  qrLogin: {
    ...byPhone.qrLogin,
    findAccount: async () => {
      const act = meanwhile;
      meanwhile = undefined;
      await act?.();
      return { name: 'Alice' };
    },
  },
};

/** The key that the attacker has sent last. */
let lastKey: BrowserKey | undefined;

const byTap: Weakness = {
  defence: 'a passkey for each enrolment',
  patch: replacing(Approvals.prototype, 'demandsPasskey', () => () => false),
};
const wordless: Weakness = {
  defence: 'words that say what is approved',
  patch: replacing(EnrolmentRequests.prototype, 'describe', () => async () => []),
};
const untyped: Weakness = {
  defence: 'the digits for each enrolment',
  patch: replacing(Approvals.prototype, 'makeJudge', () => () => () => 'allow'),
};
const lastKeyCounts: Weakness = {
  defence: 'a key that is fixed when the action is made',
  patch: browserFinds((ticket) => {
    const { action } = ticket.request;
    if (action?.enrols === undefined || lastKey === undefined) return ticket;
    return { ...ticket, request: { ...ticket.request, action: { ...action, enrols: lastKey } } };
  }),
};
const forgetful: Weakness = {
  defence: 'a note of what was forgotten',
  patch: replacing(Enrolments.prototype, 'hasEndedSince', () => async () => false),
};
const timeless: Weakness = {
  defence: 'a look at the sign-outs after the enrolment',
  patch: replacing(SignInRevocation.prototype, 'isRevoked', () => async () => false),
};

export const attacks: Attack[] = [
  {
    row: 39,
    name: "has the attacker's browser enrolled by a victim who approves with a tap and passes the digits on",
    on: byPhone,
    without: byTap,
    run: async (site) => {
      const [attacker, phone] = [await browserAt(site), await phoneOf(site, 'bob')];
      const key = await TestBrowserKey.make();
      const page = await askToEnrol(attacker, key);
      await scanCode(phone, page);
      const { checkCode } = await phone.approve();
      await page.finish(`${checkCode}`);
      return (await hasEnrolled(phone, key)) ? 'an enrolled browser' : undefined;
    },
  },
  {
    row: 39,
    name: "has the attacker's browser enrolled by a victim who mistakes the request for a sign-in",
    on: byPhone,
    without: wordless,
    run: async (site) => {
      const [attacker, { phone }] = [await browserAt(site), await phoneWithPasskey(site)];
      await scanCode(phone, await askToEnrol(attacker, await TestBrowserKey.make()));
      const page = await decisionPage(phone);
      const words = ['Add a browser to your account', 'Browser: Chrome on Windows', 'you are not signed in there'];
      return words.every((word) => page.includes(word)) ? undefined : 'a request that does not say what it is';
    },
  },
  {
    row: 39,
    name: "has the attacker's browser enrolled by a victim who approves with the passkey, but passes no digits on",
    on: byPhone,
    without: untyped,
    run: async (site) => {
      const [attacker, alice] = [await browserAt(site), await phoneWithPasskey(site)];
      const key = await TestBrowserKey.make();
      const page = await askToEnrol(attacker, key);
      await approveEnrolment(alice, page);
      await page.finish();
      return (await hasEnrolled(alice.phone, key)) ? 'an enrolled browser' : undefined;
    },
  },
  {
    row: 39,
    name: 'swaps the key after the phone has shown it, with copied cookies of the browser that asks',
    on: byPhone,
    without: lastKeyCounts,
    run: async (site) => {
      const [browser, alice] = [await browserAt(site), await phoneWithPasskey(site)];
      const page = await askToEnrol(browser, await TestBrowserKey.make());
      const checkCode = await approveEnrolment(alice, page);
      const thief = await copyOf(browser);
      const key = await TestBrowserKey.make();
      const text = await key.publicKey();
      lastKey = JSON.parse(text);
      await askToEnrol(thief, key);
      await page.finish(checkCode, { key: text, enrols: text });
      lastKey = undefined;
      return (await hasEnrolled(alice.phone, key)) ? "the attacker's key" : undefined;
    },
  },
  {
    row: 39,
    name: 'repeats its last request after the owner has forgotten the browser',
    on: byPhone,
    alone: true,
    without: forgetful,
    run: async (site) => {
      const [attacker, alice] = [await browserAt(site), await phoneWithPasskey(site)];
      const key = await TestBrowserKey.make();
      const page = await askToEnrol(attacker, key);
      const checkCode = await approveEnrolment(alice, page);
      await page.finish(checkCode);
      if (!(await hasEnrolled(alice.phone, key))) throw new Error('nothing was enrolled');
      const { csrf } = (await alice.phone.look(`${site.issuer}/qr/devices`)).json();
      await alice.phone.post(`${site.issuer}/qr/devices`, { csrf, forget: await key.enrolmentId() });
      if (await hasEnrolled(alice.phone, key)) throw new Error('nothing was forgotten');
      await page.finish(checkCode);
      return (await hasEnrolled(alice.phone, key)) ? 'an enrolled browser that was forgotten' : undefined;
    },
  },
  {
    row: 39,
    name: 'confirms the enrolment at the moment at which the owner signs out all: the enrolment race',
    on: racing,
    alone: true,
    without: timeless,
    run: async (site) => {
      const [attacker, alice] = [await browserAt(site), await phoneWithPasskey(site)];
      const key = await TestBrowserKey.make();
      const page = await askToEnrol(attacker, key);
      const checkCode = await approveEnrolment(alice, page);
      const { csrf } = (await alice.phone.look(`${site.issuer}/qr/devices`)).json();
      meanwhile = () => alice.phone.post(`${site.issuer}/qr/devices`, { csrf, end: 'all' });
      await page.finish(checkCode);
      if (meanwhile !== undefined) throw new Error('there was no race');
      return (await hasEnrolled(alice.phone, key)) ? 'an enrolled browser after "sign out all"' : undefined;
    },
  },
];
