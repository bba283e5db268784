/** Brings a browser, a phone, an app and a client of the attacker, or of a bystander, into the middle of their work. */
import type { CookieJar } from 'tough-cookie';
import { codeIn, idIn } from '../../support/codes.ts';
import { BrowserPerson, PhonePerson, type World } from '../../support/world.ts';
import { Credentials } from './credentials.ts';
import type { Secrets } from './requests.ts';

/** A user, and the id of the client that asks this user for an action. */
export interface Sender {
  readonly name: 'alice' | 'bob';
  readonly account: string;
  readonly shop: string;
}

export class Pair {
  readonly browser: BrowserPerson;
  readonly credentials: Credentials;
  readonly secrets: Secrets;
  /** The browser that shows the code that the app has scanned, and the one that shows the action. */
  readonly #others: readonly BrowserPerson[];

  private constructor(
    browser: BrowserPerson,
    others: readonly BrowserPerson[],
    credentials: Credentials,
    secrets: Secrets,
  ) {
    this.browser = browser;
    this.#others = others;
    this.credentials = credentials;
    this.secrets = secrets;
  }

  /** Signs the phone and the app in, and scans the codes of two browsers with them. A third one shows an action. */
  static async start(world: World, { name, account, shop }: Sender): Promise<Pair> {
    const [phone, credentials] = await Promise.all([
      new PhonePerson(world).signIn(name),
      Credentials.get(world, name, shop),
    ]);
    const [browser, beside, shower] = [new BrowserPerson(world), new BrowserPerson(world), new BrowserPerson(world)];
    await Promise.all([browser.start(), beside.start()]);
    const [code, appCode] = await Promise.all([browser.code(), beside.code()]);
    shower.at = await credentials.requestAction(account);
    await shower.agent.get(shower.at, { headers: { accept: 'text/html' } });
    await shower.agent.post(shower.at, { form: {} });
    const scanned = [await phone.scan(code), await credentials.send('POST', '/qr/api/scans', { code: appCode })];
    for (const { status, text } of scanned) if (status > 201) throw new Error(`no device can scan: ${status} ${text}`);
    const list = (await credentials.send('GET', '/qr/api/browsers')).json() as { browsers?: { id: string }[] };
    return new Pair(browser, [beside, shower], credentials, {
      uid: browser.uid,
      code: codeIn(code),
      id: idIn(code),
      csrf: phone.csrf,
      action: shower.uid,
      appTicket: idIn(appCode),
      browser: list.browsers?.[0]?.id ?? 'none',
      browserCookies: await cookiesAt(browser.agent.jar, `${browser.at}/qr`),
      phoneCookies: await cookiesAt(phone.agent.jar, code),
      actionCookies: await cookiesAt(shower.agent.jar, `${shower.at}/qr`),
    });
  }

  /** Returns the states of the sign-ins and of the action, without the seconds left, and the list of browsers. */
  async state(): Promise<object> {
    const tickets = await Promise.all([this.browser, ...this.#others].map((browser) => browser.ticket()));
    const list = await this.credentials.send('GET', '/qr/api/browsers');
    if (list.status !== 200) throw new Error(`the app gets no list: ${list.status} ${list.text}`);
    // The sessions of oidc-provider end by the real clock.
    const browsers = JSON.parse(list.text, (name, value) => (name === 'endsIn' ? undefined : value));
    return { tickets: tickets.map(({ expiresIn: _, ...ticket }) => ticket), browsers };
  }
}

async function cookiesAt(jar: CookieJar, url: string): Promise<Record<string, string>> {
  return Object.fromEntries((await jar.getCookies(url)).map(({ key, value }) => [key, value]));
}
