/** Signs accounts in on phones and browsers, approves with them, signs them out and copies their cookies. */
import type { Agent, Answer } from '../../support/agent.ts';
import { BrowserVisitor, PhoneVisitor, type Site } from '../../support/visitors.ts';

/** Returns a phone on which this account is signed in. */
export async function phoneOf(site: Site, name: string): Promise<PhoneVisitor> {
  const phone = new PhoneVisitor(site);
  const page = await phone.signInAt(`${site.issuer}/account`, name);
  if (page.status !== 200 || page.text.includes('type="password"')) throw new Error(`${name} cannot sign in`);
  return phone;
}

/** Returns the account's subject, as the RP gets it. An attacker may know it. */
export async function subjectOf(site: Site, name: string): Promise<string> {
  const known = subjects.get(site) ?? new Map<string, Promise<string>>();
  subjects.set(site, known);
  const subject = known.get(name) ?? signInForSubject(site, name);
  known.set(name, subject);
  return subject;
}

/** A subject never changes, so one sign-in per account and site is enough. */
const subjects = new WeakMap<Site, Map<string, Promise<string>>>();

async function signInForSubject(site: Site, name: string): Promise<string> {
  const browser = new BrowserVisitor(site);
  await browser.start();
  const claims = (await browser.tokens(await browser.signInWithPassword(name))).claims();
  if (claims === undefined) throw new Error(`${name} cannot sign in`);
  return claims.sub;
}

/** Returns a browser and the phone of this account, which has approved the browser's ticket. */
export async function approveSignIn(
  site: Site,
  name: string,
): Promise<{ browser: BrowserVisitor; phone: PhoneVisitor }> {
  const browser = new BrowserVisitor(site);
  await browser.start();
  const phone = await phoneOf(site, name);
  await phone.scan(await browser.code());
  const decided = await phone.decide('approve');
  if (decided.status !== 200) throw new Error(`${name} cannot approve: ${decided.text}`);
  return { browser, phone };
}

/** Signs out with the form of the provider's own page. */
export async function signOut(agent: Agent, { issuer }: Site): Promise<Answer> {
  const asked = await agent.get(`${issuer}/session/end`);
  const [, xsrf] = /name="xsrf" value="([\w-]+)"/.exec(asked.text) ?? [];
  if (xsrf === undefined) throw new Error('the page has no form to sign out');
  return agent.post(`${issuer}/session/end/confirm`, { form: { xsrf, logout: 'yes' } });
}

/** Copies cookies, as a thief does, or an attacker who uses the victim's browser for a moment. */
export async function copyCookies(from: Agent, to: Agent, url: string): Promise<void> {
  for (const cookie of await from.jar.getCookies(url)) await to.jar.setCookie(`${cookie}`, url);
}

/** Applies two patches. @returns a function that undoes both, the second one first */
export function both(first: () => () => void, second: () => () => void): () => void {
  const undo = [first(), second()];
  return () => {
    for (const back of undo.reverse()) back();
  };
}
