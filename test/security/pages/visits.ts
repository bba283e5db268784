/** Takes the steps that lead to each page, and reads facts from the pages. */
import * as client from 'openid-client';
import type { Answer } from '../../support/agent.ts';
import { BrowserVisitor, PhoneVisitor, type Site } from '../../support/visitors.ts';

/** The challenge of RFC 7636, appendix B. These tests never redeem an authorization code. */
const CHALLENGE = { code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' };

export const HTML = { headers: { accept: 'text/html' } };

/** Returns the site of another RP at the same provider. */
export function siteOfRp(site: Site, clientId: string, callback: string = site.client.callback): Site {
  const { id, secret } = site.others?.[clientId] ?? { ...site.client, id: clientId };
  return { ...site, client: { id, secret, callback } };
}

/** Opens the QR page by an authorization request with these parameters. */
export async function startSignIn(
  site: Site,
  parameters: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<{ browser: BrowserVisitor; page: Answer }> {
  const browser = new BrowserVisitor(site, fetch, headers);
  const url = client.buildAuthorizationUrl(await browser.configuration(), {
    redirect_uri: site.client.callback,
    scope: 'openid profile',
    ...CHALLENGE,
    ...parameters,
  });
  const page = await browser.agent.follow(url);
  browser.at = page.url.href;
  return { browser, page: must(page, 200) };
}

/** Returns a phone that is signed in. */
export async function signInPhone(
  site: Site,
  name: string = 'alice',
  headers: Record<string, string> = {},
): Promise<PhoneVisitor> {
  const phone = new PhoneVisitor(site, fetch, headers);
  must(await phone.signInAt(`${site.issuer}/account`, name), 200);
  return phone;
}

/** Scans this browser's code. @returns the confirm page */
export async function openConfirmPage(phone: PhoneVisitor, browser: BrowserVisitor): Promise<Answer> {
  must(await phone.scan(await browser.code()), 200);
  return must(await phone.agent.get(phone.at, HTML), 200);
}

/** Approves, finishes and follows the redirect. @returns the consent page */
export async function openConsentPage(phone: PhoneVisitor, browser: BrowserVisitor): Promise<Answer> {
  must(await phone.decide('approve'), 200);
  const { redirectTo } = must(await browser.finish(), 200).json();
  return must(await browser.agent.follow(`${redirectTo}`), 200);
}

/** Returns the answer. @throws if it has another status, because the rest of the attack would prove nothing */
export function must(answer: Answer, status: number): Answer {
  if (answer.status === status) return answer;
  throw new Error(`${answer.url} answers ${answer.status}, not ${status}: ${answer.text.slice(0, 300)}`);
}

/** Returns the name of the app in the title of the confirm page, without the characters that isolate its direction. */
export function nameOn(page: string): string {
  const [, name] = /<h1>Sign in to \u2068?(.*?)\u2069?\?<\/h1>/s.exec(page) ?? [];
  if (name === undefined) throw new Error('the page names no app');
  return name;
}

/** Returns the text beside a term on the confirm page, without tags, small print and ornaments. */
export function textBeside(term: string, page: string): string {
  const [, text] = new RegExp(`<dt>${term}</dt><dd[^>]*>(.*?)</dd>`, 's').exec(page) ?? [];
  if (text === undefined) throw new Error(`the page has no "${term}"`);
  return text
    .replace(/<small>.*?<\/small>|<span[^>]*aria-hidden.*?<\/span>/gs, '')
    .replace(/<[^>]*>/g, '')
    .trim();
}
