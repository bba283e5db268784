/** Takes the steps of a sign-in that several families of attacks share. */
import type { Answer } from '../support/agent.ts';
import { BrowserVisitor, PhoneVisitor, type Site } from '../support/visitors.ts';

export type TextFields = Readonly<Record<string, string>>;

/** Returns a browser that shows the QR page. */
export async function browserAt(site: Site, headers: TextFields = {}): Promise<BrowserVisitor> {
  const browser = new BrowserVisitor(site, fetch, headers);
  const page = await browser.start();
  if (page.status !== 200) throw new Error(`there is no QR page: ${page.status}`);
  return browser;
}

/** Returns a phone that is signed in. */
export async function phoneOf(site: Site, name: string = 'alice', headers: TextFields = {}): Promise<PhoneVisitor> {
  const phone = new PhoneVisitor(site, fetch, headers);
  await phone.signInAt(`${site.issuer}/account`, name);
  return phone;
}

/** Scans the browser's code. */
export async function scanCode(phone: PhoneVisitor, browser: BrowserVisitor): Promise<Answer> {
  const page = await phone.scan(await browser.code());
  if (page.status !== 200) throw new Error(`the phone cannot scan: ${page.status} ${page.text}`);
  return page;
}

/** Scans the browser's code and approves. @returns the check code; empty if there is none */
export async function scanAndApprove(
  phone: PhoneVisitor,
  browser: BrowserVisitor,
  more: TextFields = {},
): Promise<string> {
  await scanCode(phone, browser);
  const { state, checkCode } = await phone.approve(more);
  if (state !== 'approved') throw new Error(`the ticket is ${state}, not approved`);
  return `${checkCode ?? ''}`;
}

/** Sends a decision with any fields and headers. */
export async function sendDecision(phone: PhoneVisitor, fields: TextFields, headers: TextFields = {}): Promise<Answer> {
  const { csrf } = (await phone.look()).json();
  const { origin } = new URL(phone.site.issuer);
  return phone.agent.post(phone.at, {
    json: { csrf, ...fields },
    headers: { accept: 'application/json', origin, ...headers },
  });
}

/** Follows the answer to the RP. @returns the subject that is signed in there; undefined if there is none */
export async function followToRp(browser: BrowserVisitor, answer: Answer): Promise<string | undefined> {
  if (answer.status === 200) return arriveFrom(browser, `${answer.json().redirectTo}`);
  return answer.status === 303 ? arriveFrom(browser, answer.location) : undefined;
}

async function arriveFrom(browser: BrowserVisitor, location: string): Promise<string | undefined> {
  const { site } = browser;
  const isAtApp = (next: URL): boolean => next.href.startsWith(site.client.callback);
  const landed = await browser.agent.follow(new URL(location, site.issuer), isAtApp);
  const { location: arrived } = landed;
  if (arrived !== '') {
    return new URL(arrived).searchParams.has('error') ? undefined : (await browser.exchange(arrived)).claims()?.sub;
  }
  const consent = await browser.post(`${landed.url}/consent`, {});
  return consent.status === 200 ? arriveFrom(browser, `${consent.json().redirectTo}`) : undefined;
}
