/** Brings the victims of an attack on a sign-in to the step at which the attack begins. */
import * as client from 'openid-client';
import type { Agent, Answer } from '../support/agent.ts';
import { BrowserVisitor, PhoneVisitor, type Site } from '../support/visitors.ts';

export interface ScannedSignIn {
  readonly browser: BrowserVisitor;
  readonly phone: PhoneVisitor;
  /** The address in the code that the phone has scanned. */
  readonly code: string;
}

export async function openQrPage(site: Site): Promise<BrowserVisitor> {
  const browser = new BrowserVisitor(site);
  expectStatus(await browser.start(), 200, 'the QR page');
  return browser;
}

export async function signInPhone(site: Site, name: string = 'alice'): Promise<PhoneVisitor> {
  const phone = new PhoneVisitor(site);
  expectStatus(await phone.signInAt(`${site.issuer}/account`, name), 200, `the account page of ${name}`);
  return phone;
}

export async function scanOnPhone(site: Site): Promise<ScannedSignIn> {
  const [browser, phone] = await Promise.all([openQrPage(site), signInPhone(site)]);
  const code = await browser.code();
  expectStatus(await phone.scan(code), 200, 'the confirm page');
  return { browser, phone, code };
}

/** Scans and approves. @returns also the check code, if the browser must type one */
export async function scanAndApprove(site: Site): Promise<ScannedSignIn & { readonly checkCode: string | undefined }> {
  const meeting = await scanOnPhone(site);
  return { ...meeting, checkCode: await approve(meeting.phone) };
}

/** Approves. @returns the check code, if the browser must type one */
export async function approve(phone: PhoneVisitor): Promise<string | undefined> {
  const { state, checkCode } = await phone.approve();
  if (state !== 'approved') throw new Error(`the phone could not approve: the ticket is ${state}`);
  return checkCode === undefined ? undefined : `${checkCode}`;
}

/** Starts an authorization with these parameters. The browser is then at the URL of its interaction. */
export async function startWith(browser: BrowserVisitor, parameters: Record<string, string>): Promise<Answer> {
  const { callback } = browser.site.client;
  const page = await browser.agent.follow(
    client.buildAuthorizationUrl(await browser.configuration(), {
      redirect_uri: callback,
      scope: 'openid profile',
      code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()),
      code_challenge_method: 'S256',
      ...parameters,
    }),
    (next) => next.href.startsWith(callback),
  );
  browser.at = page.url.href;
  return page;
}

export function uidOf({ at }: BrowserVisitor): string {
  return new URL(at).pathname.split('/').at(-1) ?? '';
}

/** Returns the name of the account that is signed in in this browser or phone. */
export async function accountAt({ issuer }: Site, agent: Agent): Promise<string | undefined> {
  const page = await agent.get(`${issuer}/account`, { headers: { accept: 'text/html' } });
  return page.status === 200 ? /Hello ([^<]+)/.exec(page.text)?.[1] : undefined;
}

/** Follows a redirect as a browser does, including pages that submit themselves. @returns the last answer */
export async function goOn(browser: BrowserVisitor, location: unknown): Promise<Answer> {
  const { callback } = browser.site.client;
  const isAtRp = (url: URL): boolean => url.href.startsWith(callback);
  let answer = await browser.agent.follow(new URL(`${location}`, browser.site.issuer), isAtRp);
  while (answer.text.includes('document.forms[0].submit()')) {
    const [, action = ''] = /<form method="post" action="([^"]+)"/.exec(answer.text) ?? [];
    const fields = [...answer.text.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]);
    const submitted = await browser.submit(new URL(action, answer.url), Object.fromEntries(fields));
    answer = await browser.agent.follow(new URL(submitted.location, answer.url), isAtRp);
  }
  return answer;
}

/** Returns the attacker's browser with the cookies that the attacker has stolen from the victim. */
export async function stealCookies(
  victim: BrowserVisitor,
  takes: (cookie: string) => boolean,
): Promise<BrowserVisitor> {
  const attacker = new BrowserVisitor(victim.site);
  attacker.at = victim.at;
  for (const cookie of await victim.agent.jar.store.getAllCookies()) {
    if (takes(cookie.key))
      await attacker.agent.jar.setCookie(`${cookie}`, `${victim.site.issuer}${cookie.path ?? '/'}`);
  }
  return attacker;
}

export function expectStatus(answer: Answer, status: number, what: string): Answer {
  if (answer.status === status) return answer;
  throw new Error(`${what} was answered with ${answer.status}, not ${status}: ${answer.text}`);
}
