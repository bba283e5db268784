/** Brings a browser and a phone of the attacker, or of a bystander, into the middle of a sign-in. */
import type { CookieJar } from 'tough-cookie';
import { codeIn, idIn } from '../../support/codes.ts';
import { BrowserPerson, type PhonePerson, type World } from '../../support/world.ts';
import type { Secrets } from './requests.ts';

export class Pair {
  readonly browser: BrowserPerson;
  readonly phone: PhonePerson;
  readonly secrets: Secrets;

  private constructor(browser: BrowserPerson, phone: PhonePerson, secrets: Secrets) {
    this.browser = browser;
    this.phone = phone;
    this.secrets = secrets;
  }

  /** Starts a browser and scans its code with this phone. */
  static async start(world: World, phone: PhonePerson): Promise<Pair> {
    const browser = new BrowserPerson(world);
    await browser.start();
    const code = await browser.code();
    const scanned = await phone.scan(code);
    if (scanned.status !== 200) throw new Error(`the phone cannot scan: ${scanned.text}`);
    return new Pair(browser, phone, {
      uid: browser.uid,
      code: codeIn(code),
      id: idIn(code),
      csrf: phone.csrf,
      browserCookies: await cookiesAt(browser.agent.jar, `${browser.at}/qr`),
      phoneCookies: await cookiesAt(phone.agent.jar, code),
    });
  }

  /** Returns the browser's view of the ticket, without the seconds left. */
  async ticket(): Promise<object> {
    const { expiresIn: _, ...ticket } = await this.browser.ticket();
    return ticket;
  }
}

async function cookiesAt(jar: CookieJar, url: string): Promise<Record<string, string>> {
  return Object.fromEntries((await jar.getCookies(url)).map(({ key, value }) => [key, value]));
}
