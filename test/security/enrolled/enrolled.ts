/**
 * Row 39 of the table in docs/security.md: some accounts can approve only a browser that the account has enrolled, so
 * that a live relay fails.
 */
import { EnrolmentForm } from '../../../src/http/devices/enrolment-form.ts';
import { Enrolments } from '../../../src/http/devices/enrolments.ts';
import { SignInRevocation } from '../../../src/http/devices/revocation.ts';
import { TestBrowserKey } from '../../support/browser-key.ts';
import { BrowserVisitor, type PhoneVisitor, type Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { browserAt, followToRp, phoneOf, scanCode, type TextFields } from '../meeting.ts';

/** Every account is used in enrolled browsers only. */
const enrolledOnly: WorldOptions = { qrLogin: { enrolled: () => true } };
/**
 * Every account is used in enrolled browsers only, and each sign-in needs the check code, so that only an attacker who
 * learns it can finish.
 */
const withDigits: WorldOptions = { qrLogin: { enrolled: () => true, assess: () => 'check code' } };
/** Bob's account is used in enrolled browsers only, the victim's account in any browser. */
const forOthers: WorldOptions = { qrLogin: { enrolled: (_client, accountId) => accountId === 'b0b' } };

/** The owner's act. It runs at the moment at which the server looks up the place of a request. */
let meanwhile: (() => Promise<unknown>) | undefined;
const racing: WorldOptions = {
  proxy: true,
  qrLogin: {
    enrolled: () => true,
    locate: async () => {
      const act = meanwhile;
      meanwhile = undefined;
      await act?.();
      return undefined;
    },
  },
};

/** A deployment without the option: the live relay succeeds, as docs/security.md says. */
const anywhere: Weakness = { defence: 'enrolled browsers', options: { qrLogin: { enrolled: () => false } } };

const anyKey: Weakness = {
  defence: 'a list of enrolled keys',
  patch: replacing(Enrolments.prototype, 'isEnrolled', () => async () => true),
};

const anySignature: Weakness = {
  defence: 'a signature of the code on the screen',
  patch: replacing(Enrolments.prototype, 'isShownBy', () => () => true),
};

const unsignedFinish: Weakness = {
  defence: 'a signature of the approval at finish',
  patch: replacing(Enrolments.prototype, 'assertEnrolled', () => async () => undefined),
};

const anySession: Weakness = {
  defence: 'a proof that the user is at this browser',
  patch: replacing(EnrolmentForm.prototype, 'findProof', () => async () => ({ accountId: 'a11ce' })),
};

const timeless: Weakness = {
  defence: 'a check for sign-outs after the enrolment',
  patch: replacing(SignInRevocation.prototype, 'isRevoked', () => async () => false),
};

type Visitor = BrowserVisitor | PhoneVisitor;

/** A victim whose enrolled browser shows a code and has announced its key. */
interface Victim {
  readonly browser: BrowserVisitor;
  readonly phone: PhoneVisitor;
  readonly key: TestBrowserKey;
}

async function victimOf(site: Site): Promise<Victim> {
  const [browser, phone, key] = [await browserAt(site), await phoneOf(site), await TestBrowserKey.make()];
  // Sign the victim in with the password and enrol the browser. The key belongs to the browser, not to a session.
  if (!(await enrol(await phoneOf(site), key))) throw new Error('the victim cannot enrol a browser');
  await announceKey(browser, key);
  return { browser, phone, key };
}

async function openDevices({ agent, site }: Visitor): Promise<Record<string, unknown>> {
  return (await agent.get(`${site.issuer}/qr/devices`, { headers: { accept: 'application/json' } })).json();
}

/** @returns true if the browser was enrolled */
async function enrol(visitor: Visitor, key: TestBrowserKey): Promise<boolean> {
  const { csrf, enrol: offer } = (await openDevices(visitor)) as { csrf?: string; enrol?: { nonce?: string } };
  const fields = { csrf: `${csrf}`, ...(await key.enrolment(offer?.nonce ?? '')) };
  return (await visitor.post(`${visitor.site.issuer}/qr/devices`, fields)).status === 200;
}

/** @returns true if the server has taken the key */
async function announceKey(browser: BrowserVisitor, key: TestBrowserKey, changes: TextFields = {}): Promise<boolean> {
  const fields = { ...(await key.announcement(browser.at, await browser.code())), ...changes };
  return (await browser.post(`${browser.at}/qr/key`, fields)).status === 200;
}

/** Scans the browser's code as the victim and approves. @returns the answer as JSON */
async function scanAndApprove(phone: PhoneVisitor, browser: BrowserVisitor): Promise<Record<string, unknown>> {
  await scanCode(phone, browser);
  return phone.approve();
}

/** Returns a browser of the attacker with all cookies of another one. */
async function copyOf(browser: BrowserVisitor): Promise<BrowserVisitor> {
  const copy = new BrowserVisitor(browser.site);
  for (const cookie of await browser.agent.jar.getCookies(browser.at)) {
    await copy.agent.jar.setCookie(cookie.toString(), browser.at);
  }
  copy.at = browser.at;
  return copy;
}

/** Finishes the approved sign-in as the attacker. @returns the gain; undefined if the server refuses */
async function finish(attacker: BrowserVisitor, more: TextFields = {}): Promise<string | undefined> {
  const answer = await attacker.post(`${attacker.at}/qr/finish`, more);
  return answer.status === 200 ? 'an approval that the browser could finish' : undefined;
}

export const attacks: Attack[] = [
  {
    row: 39,
    name: 'relays the digits from a victim who scans and approves: the live relay',
    on: withDigits,
    without: anywhere,
    run: async (site) => {
      const attacker = await browserAt(site);
      const { checkCode } = await scanAndApprove(await phoneOf(site), attacker);
      return checkCode === undefined ? undefined : followToRp(attacker, await attacker.finish(`${checkCode}`));
    },
  },
  {
    row: 39,
    name: "relays with the attacker's own key, such as one that was made on another origin",
    on: enrolledOnly,
    without: anyKey,
    run: async (site) => {
      const [attacker, { phone }, key] = [await browserAt(site), await victimOf(site), await TestBrowserKey.make()];
      await announceKey(attacker, key);
      const { state } = await scanAndApprove(phone, attacker);
      return state === 'approved' ? 'an approval of a browser with an unknown key' : undefined;
    },
  },
  {
    row: 39,
    name: 'shows the key of the enrolled browser with the signature of another interaction',
    on: enrolledOnly,
    without: anySignature,
    run: async (site) => {
      const [attacker, victim] = [await browserAt(site), await victimOf(site)];
      const { key, signature } = await victim.key.announcement(victim.browser.at, await victim.browser.code());
      await announceKey(attacker, await TestBrowserKey.make(), { key, signature });
      const { state } = await scanAndApprove(victim.phone, attacker);
      return state === 'approved' ? 'an approval of another browser' : undefined;
    },
  },
  {
    row: 39,
    name: 'finishes with copied cookies of the enrolled browser, without its key',
    on: enrolledOnly,
    without: unsignedFinish,
    run: async (site) => {
      const victim = await victimOf(site);
      const attacker = await copyOf(victim.browser);
      await scanAndApprove(victim.phone, victim.browser);
      return finish(attacker);
    },
  },
  {
    row: 39,
    name: 'finishes with copied cookies and the signature of an earlier approval',
    on: enrolledOnly,
    without: unsignedFinish,
    run: async (site) => {
      const victim = await victimOf(site);
      const { browser, phone, key } = victim;
      await scanAndApprove(phone, browser);
      const before = (await browser.ticket()).version;
      const signature = await key.sign(browser.at, before);
      await browser.post(`${browser.at}/qr/renew`, { version: `${before}` });
      await announceKey(browser, key);
      const attacker = await copyOf(browser);
      await scanAndApprove(phone, browser);
      return finish(attacker, { signature });
    },
  },
  {
    row: 39,
    name: "enrols the attacker's browser from a session that the victim's phone has approved",
    on: forOthers,
    without: anySession,
    run: async (site) => {
      const [attacker, phone] = [await browserAt(site), await phoneOf(site)];
      const { checkCode } = await scanAndApprove(phone, attacker);
      await followToRp(attacker, await attacker.finish(checkCode === undefined ? undefined : `${checkCode}`));
      return (await enrol(attacker, await TestBrowserKey.make())) ? 'an enrolled browser' : undefined;
    },
  },
  {
    row: 39,
    name: 'enrols a browser at the moment at which the owner signs out all browsers: the enrolment race',
    on: racing,
    alone: true,
    without: timeless,
    run: async (site) => {
      // The server looks up the places of public addresses only.
      const headers = { 'x-forwarded-for': '203.0.113.7' };
      const [thief, owner] = [await phoneOf(site, 'alice', headers), await phoneOf(site)];
      const { csrf } = await openDevices(owner);
      meanwhile = () => owner.post(`${site.issuer}/qr/devices`, { csrf: `${csrf}`, end: 'all' });
      await enrol(thief, await TestBrowserKey.make());
      if (meanwhile !== undefined) throw new Error('there was no race');
      const { known } = await openDevices(owner);
      return Array.isArray(known) && known.length > 0 ? 'an enrolled browser after "sign out all"' : undefined;
    },
  },
];
