/** The people of these attacks, and what they do with their sessions. */
import type { Agent, Answer } from '../../support/agent.ts';
import { BrowserVisitor, PhoneVisitor, type Site } from '../../support/visitors.ts';

/** A phone that this person is signed in on. */
export async function phoneOf(site: Site, name: string): Promise<PhoneVisitor> {
  const phone = new PhoneVisitor(site);
  const page = await phone.signInAt(`${site.issuer}/account`, name);
  if (page.status !== 200 || page.text.includes('type="password"')) throw new Error(`${name} cannot sign in`);
  return phone;
}

/** Who this person is to the RP: nothing that an attacker could not know. */
export async function subjectOf(site: Site, name: string): Promise<string> {
  const known = subjects.get(site) ?? new Map<string, Promise<string>>();
  subjects.set(site, known);
  const subject = known.get(name) ?? signInForSubject(site, name);
  known.set(name, subject);
  return subject;
}

/** A subject stays the same, so that each person need sign in for it only once. */
const subjects = new WeakMap<Site, Map<string, Promise<string>>>();

async function signInForSubject(site: Site, name: string): Promise<string> {
  const browser = new BrowserVisitor(site);
  await browser.start();
  const claims = (await browser.tokens(await browser.signInWithPassword(name))).claims();
  if (claims === undefined) throw new Error(`${name} cannot sign in`);
  return claims.sub;
}

/** A browser that shows a code, which this person's phone has approved. */
export async function approved(site: Site, name: string): Promise<{ browser: BrowserVisitor; phone: PhoneVisitor }> {
  const browser = new BrowserVisitor(site);
  await browser.start();
  const phone = await phoneOf(site, name);
  await phone.scan(await browser.code());
  const decided = await phone.decide('approve');
  if (decided.status !== 200) throw new Error(`${name} cannot approve: ${decided.text}`);
  return { browser, phone };
}

/** Signs out, as the provider's own page does it. */
export async function signOut(agent: Agent, { issuer }: Site): Promise<Answer> {
  const asked = await agent.get(`${issuer}/session/end`);
  const [, xsrf] = /name="xsrf" value="([\w-]+)"/.exec(asked.text) ?? [];
  if (xsrf === undefined) throw new Error('there is no way to sign out');
  return agent.post(`${issuer}/session/end/confirm`, { form: { xsrf, logout: 'yes' } });
}

/** What a thief does, or who sits at somebody else's browser for a moment. */
export async function copyCookies(from: Agent, to: Agent, url: string): Promise<void> {
  for (const cookie of await from.jar.getCookies(url)) await to.jar.setCookie(`${cookie}`, url);
}

/** Two changes of the code as one. */
export function both(first: () => () => void, second: () => () => void): () => void {
  const undo = [first(), second()];
  return () => {
    for (const back of undo.reverse()) back();
  };
}
