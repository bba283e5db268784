/** How people meet in several families of attacks. */
import type { Answer } from '../support/agent.ts';
import { BrowserVisitor, PhoneVisitor, type Site } from '../support/visitors.ts';

export type Sent = Readonly<Record<string, string>>;

/** A browser at the QR page. */
export async function browserAt(site: Site, headers: Sent = {}): Promise<BrowserVisitor> {
  const browser = new BrowserVisitor(site, fetch, headers);
  const page = await browser.start();
  if (page.status !== 200) throw new Error(`there is no QR page: ${page.status}`);
  return browser;
}

/** A phone that is signed in. */
export async function phoneOf(site: Site, name: string = 'alice', headers: Sent = {}): Promise<PhoneVisitor> {
  const phone = new PhoneVisitor(site, fetch, headers);
  await phone.signInAt(`${site.issuer}/account`, name);
  return phone;
}

/** Scans what the browser shows. */
export async function scanned(phone: PhoneVisitor, browser: BrowserVisitor): Promise<Answer> {
  const page = await phone.scan(await browser.code());
  if (page.status !== 200) throw new Error(`the phone cannot scan: ${page.status} ${page.text}`);
  return page;
}

/** Scans what the browser shows, and approves. @returns the check code, where there is one */
export async function approved(phone: PhoneVisitor, browser: BrowserVisitor): Promise<string> {
  await scanned(phone, browser);
  const { state, checkCode } = await phone.approve();
  if (state !== 'approved') throw new Error(`this is ${state}, not approved`);
  return `${checkCode ?? ''}`;
}

/** Says something else than Approve or Deny, or with other headers. */
export async function decided(phone: PhoneVisitor, fields: Sent, headers: Sent = {}): Promise<Answer> {
  const { csrf } = (await phone.look()).json();
  const { origin } = new URL(phone.site.issuer);
  return phone.agent.post(phone.at, {
    json: { csrf, ...fields },
    headers: { accept: 'application/json', origin, ...headers },
  });
}

/** As whom the RP knows the browser after this answer; undefined where it is nobody. */
export async function signedInBy(browser: BrowserVisitor, answer: Answer): Promise<string | undefined> {
  if (answer.status === 200) return arrivedFrom(browser, `${answer.json().redirectTo}`);
  return answer.status === 303 ? arrivedFrom(browser, answer.location) : undefined;
}

async function arrivedFrom(browser: BrowserVisitor, location: string): Promise<string | undefined> {
  const { site } = browser;
  const isAtApp = (next: URL): boolean => next.href.startsWith(site.client.callback);
  const landed = await browser.agent.follow(new URL(location, site.issuer), isAtApp);
  const { location: arrived } = landed;
  if (arrived !== '') {
    return new URL(arrived).searchParams.has('error') ? undefined : (await browser.exchange(arrived)).claims()?.sub;
  }
  const consent = await browser.post(`${landed.url}/consent`, {});
  return consent.status === 200 ? arrivedFrom(browser, `${consent.json().redirectTo}`) : undefined;
}
