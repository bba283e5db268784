/**
 * Rows 1, 2 and 27 of the table in docs/security.md: only the browser that showed the code is signed in, and its
 * account is not replaced without asking.
 */
import { BrowserVisitor, type Site } from '../../support/visitors.ts';
import type { Attack, Weakness } from '../attack.ts';
import { accountAt, approve, goOn, openQrPage, scanOnPhone, signInPhone, stealCookies, uidOf } from '../scene.ts';
import { bindingFromTheUrl, interactionFromTheUrl, unsignedCookies } from '../weaknesses.ts';
import { attacks as onAccounts } from './accounts.ts';
import { attacks as onTheCode } from './code.ts';

/**
 * Makes a browser with credentials that an attacker has stolen or forged. The server must not mistake it for the
 * victim's browser.
 */
type Steal = (victim: BrowserVisitor) => Promise<BrowserVisitor>;

const uidOnly: Steal = (victim) => stealCookies(victim, () => false);
const providersCookies: Steal = (victim) => stealCookies(victim, (cookie) => !cookie.includes('_qr_'));
const bindingOnly: Steal = (victim) => stealCookies(victim, (cookie) => cookie.includes('_qr_browser'));

/** Cookies forged by an attacker who knows their names and the uid, but not the key. */
const forgedCookies: Steal = async (victim) => {
  const attacker = await uidOnly(victim);
  const { jar } = attacker.agent;
  const uid = uidOf(victim);
  const clientId = Buffer.from(victim.site.client.id).toString('base64url');
  for (const cookie of [`_interaction=${uid}`, `_interaction_resume=${uid}`, `_qr_browser=${uid}.AAAA.${clientId}`]) {
    await jar.setCookie(`${cookie}; path=/`, victim.at);
    await jar.setCookie(`${cookie.replace('=', '.sig=').replace(/=.*/, `=${'A'.repeat(27)}`)}; path=/`, victim.at);
  }
  return attacker;
};

/** The signed cookies of the attacker's own sign-in, sent to the victim's URL. */
const ownCookies: Steal = async (victim) => {
  const own = await openQrPage(victim.site);
  const attacker = new BrowserVisitor(victim.site);
  attacker.at = victim.at;
  for (const { key, value } of await own.agent.jar.store.getAllCookies()) {
    if (!key.startsWith('_interaction_resume'))
      await attacker.agent.jar.setCookie(`${key}=${value}; path=/`, victim.at);
  }
  return attacker;
};

/** The victim's interaction cookie, and the attacker's own signed binding. */
const providersCookiesAndOwnBinding: Steal = async (victim) => {
  const own = await openQrPage(victim.site);
  const attacker = await providersCookies(victim);
  for (const { key, value } of await own.agent.jar.store.getAllCookies()) {
    if (key.includes('_qr_browser')) await attacker.agent.jar.setCookie(`${key}=${value}; path=/`, victim.at);
  }
  return attacker;
};

type Run = (site: Site, steal: Steal) => Promise<string | undefined>;

const readsTheTicket: Run = async (site, steal) => {
  const attacker = await steal(await openQrPage(site));
  const { status, text } = await attacker.agent.get(`${attacker.at}/qr`);
  return status === 200 ? text : undefined;
};

const readsThePage: Run = async (site, steal) => {
  const attacker = await steal(await openQrPage(site));
  const { status, text } = await attacker.agent.get(attacker.at, { headers: { accept: 'text/html' } });
  return status === 200 && text.includes('<svg') ? text : undefined;
};

const waitsForTheScan: Run = async (site, steal) => {
  const victim = await openQrPage(site);
  const attacker = await steal(victim);
  const { version } = await victim.ticket();
  const [heard] = await Promise.all([
    attacker.agent.get(`${attacker.at}/qr?after=${version}`),
    (await signInPhone(site)).scan(await victim.code()),
  ]);
  return heard.status === 200 ? heard.text : undefined;
};

const watches: Run = async (site, steal) => {
  const attacker = await steal(await openQrPage(site));
  const stream = await attacker.events();
  try {
    return stream.response.status === 200 ? JSON.stringify(await stream.ticket()) : undefined;
  } finally {
    stream.close();
  }
};

const finishes: Run = async (site, steal) => {
  const { browser: victim, phone } = await scanOnPhone(site);
  const checkCode = await approve(phone);
  const attacker = await steal(victim);
  const { status, text } = await attacker.finish(checkCode);
  if (status === 200) await goOn(attacker, JSON.parse(text).redirectTo);
  const account = await accountAt(site, attacker.agent);
  if (account !== undefined) return `the session of ${account}`;
  const { state } = await victim.ticket();
  return state === 'approved' ? undefined : `the victim's ticket is ${state}`;
};

const renews: Run = async (site, steal) => {
  const victim = await openQrPage(site);
  const before = await victim.ticket();
  const attacker = await steal(victim);
  await attacker.post(`${attacker.at}/qr/renew`, { version: `${before.version}` });
  const after = await victim.ticket();
  return after.version === before.version ? undefined : "the code on the victim's screen has changed";
};

const cancels: Run = async (site, steal) => {
  const victim = await openQrPage(site);
  const attacker = await steal(victim);
  await attacker.post(`${attacker.at}/cancel`, {});
  const { state } = await victim.ticket();
  return state === 'waiting' ? undefined : `the victim's ticket is ${state}`;
};

const ACTS: Record<string, Run> = {
  'reads the ticket': readsTheTicket,
  'reads the page with the code': readsThePage,
  'waits for the scan': waitsForTheScan,
  'watches the events': watches,
  finishes,
  renews,
  cancels,
};

const noBinding: Weakness = { defence: 'the binding cookie', patch: bindingFromTheUrl };
const noCookies: Weakness = { defence: 'any cookie', patch: bindingFromTheUrl, options: interactionFromTheUrl };

const withTheProvidersCookies = Object.entries(ACTS).map(([act, run]): Attack => {
  const name = `a browser with all of the provider's cookies, but without the binding cookie, ${act}`;
  return { row: 1, name, run: (site) => run(site, providersCookies), without: noBinding };
});

const withTheUid = Object.entries(ACTS).map(([act, run]): Attack => {
  return { row: 1, name: `a browser with the uid alone ${act}`, run: (site) => run(site, uidOnly), without: noCookies };
});

export const attacks: readonly Attack[] = [
  ...withTheProvidersCookies,
  ...withTheUid,
  {
    row: 1,
    name: 'a browser with the binding cookie, but without the interaction cookie, finishes',
    run: (site) => finishes(site, bindingOnly),
    without: { defence: 'the interaction cookie', options: interactionFromTheUrl },
  },
  {
    row: 1,
    name: 'a browser with cookies that it signed itself finishes',
    run: (site) => finishes(site, forgedCookies),
    without: { defence: 'signed cookies', options: unsignedCookies, patch: bindingFromTheUrl },
  },
  {
    row: 1,
    name: 'a browser with the cookies of its own sign-in finishes',
    run: (site) => finishes(site, ownCookies),
    without: noCookies,
  },
  {
    row: 1,
    name: "a browser with the victim's interaction cookie and its own binding cookie finishes",
    run: (site) => finishes(site, providersCookiesAndOwnBinding),
    without: noBinding,
  },
  ...onTheCode,
  ...onAccounts,
];
