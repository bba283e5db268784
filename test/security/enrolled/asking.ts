/** The steps in which a browser asks to be enrolled by the phone. */
import type { Answer } from '../../support/agent.ts';
import type { TestBrowserKey } from '../../support/browser-key.ts';
import { BrowserVisitor, type PhoneVisitor } from '../../support/visitors.ts';
import { approveWith, challengeOnPhone, type PhoneWithPasskey } from '../guard/people.ts';
import { scanCode } from '../meeting.ts';

const HTML = { headers: { accept: 'text/html', 'accept-language': 'en' } };

/** Asks for the enrolment with this key. @param changes fields that differ from those of the page */
export async function requestEnrolment(
  browser: BrowserVisitor,
  key: TestBrowserKey,
  changes: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const { text } = await browser.agent.get(browser.at, HTML);
  const [, nonce = ''] = /data-ask="([\w-]+)"/.exec(text) ?? [];
  const { enrol, signature } = await key.enrolment(nonce);
  return browser.post(`${browser.at}/qr/enrol`, { key: enrol, signature, ...changes });
}

/** Asks for the enrolment, which must succeed. @returns the browser at the page of the action */
export async function askToEnrol(browser: BrowserVisitor, key: TestBrowserKey): Promise<BrowserVisitor> {
  const answer = await requestEnrolment(browser, key);
  if (answer.status !== 200) throw new Error(`the browser cannot ask: ${answer.status} ${answer.text}`);
  const page = new BrowserVisitor(browser.site, browser.network);
  return Object.assign(page, { agent: browser.agent, at: new URL(`${answer.json().redirectTo}`, browser.at).href });
}

/** Approves with the passkey what the page shows. @returns the digits */
export async function approveEnrolment({ phone, passkey }: PhoneWithPasskey, page: BrowserVisitor): Promise<string> {
  await scanCode(phone, page);
  const answer = await approveWith(phone, passkey.answer(await challengeOnPhone(phone)));
  if (answer.status !== 200) throw new Error(`the phone cannot approve: ${answer.status} ${answer.text}`);
  return `${answer.json().checkCode}`;
}

/** Returns the page on which the phone decides. */
export async function decisionPage(phone: PhoneVisitor): Promise<string> {
  return (await phone.agent.get(phone.at, HTML)).text;
}

/** Returns the browsers that the account has enrolled. */
export async function enrolledBy({ agent, site }: PhoneVisitor): Promise<Record<string, unknown>[]> {
  const list = await agent.get(`${site.issuer}/qr/devices`, { headers: { accept: 'application/json' } });
  const { known = [] } = list.json() as { known?: Record<string, unknown>[] };
  return known.filter(({ enrolled }) => enrolled === true);
}

/** Returns true if the account has enrolled the browser with this key. */
export async function hasEnrolled(phone: PhoneVisitor, key: TestBrowserKey): Promise<boolean> {
  const id = await key.enrolmentId();
  return (await enrolledBy(phone)).some((browser) => browser.id === id);
}

/** Announces the key of the browser to the server, as the QR page does for the code that it shows. */
export async function showKey(browser: BrowserVisitor, key: TestBrowserKey): Promise<Answer> {
  return browser.post(`${browser.at}/qr/key`, await key.announcement(browser.at, await browser.code()));
}

/** Returns a browser of the attacker with all cookies of another one. */
export async function copyOf(browser: BrowserVisitor): Promise<BrowserVisitor> {
  const copy = new BrowserVisitor(browser.site);
  for (const cookie of await browser.agent.jar.getCookies(browser.at)) {
    await copy.agent.jar.setCookie(cookie.toString(), browser.at);
  }
  copy.at = browser.at;
  return copy;
}
