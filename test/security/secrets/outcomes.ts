/** Runs sign-ins with every possible end, and records the events that they cause. */
import type { Provider } from 'oidc-provider';
import { passwordOf } from '../../fixtures/people.ts';
import type { Agent } from '../../support/agent.ts';
import { shortCodeOn } from '../../support/typing.ts';
import { BrowserVisitor, PhoneVisitor, type Site } from '../../support/visitors.ts';
import { Authenticator } from '../guard/authenticator.ts';
import { approveWith, challengeInBrowser, challengeOnPhone, signInWith } from '../guard/people.ts';
import { browserAt, phoneOf, scanAndApprove, scanCode, sendDecision, type TextFields } from '../meeting.ts';
import { everythingIn, Secrets } from './collected.ts';

const EVENTS = ['shown', 'scanned', 'approved', 'denied', 'reported', 'cancelled', 'expired', 'finished', 'passkey'];

/** Records all events of QR sign-ins from the provider, but not the requests themselves. */
export class Recorder {
  readonly failures: string[] = [];
  readonly #events: { event: string; payload: Record<string, unknown> }[] = [];

  constructor(provider: Provider) {
    const listen = (event: string, heard: (payload: Record<string, unknown>) => void): void => {
      const listener = (...seen: unknown[]): void => {
        const payload = seen.at(-1) as Record<string, unknown>;
        this.#events.push({ event, payload });
        heard(payload);
      };
      provider.on(event as never, listener as never);
    };
    for (const event of EVENTS) listen(`qr_login.${event}`, () => undefined);
    listen('qr_login.failed', ({ code }) => this.failures.push(`${code}`));
    listen('server_error', () => undefined);
  }

  eventsOf(name: string): Record<string, unknown>[] {
    return this.#events.filter(({ event }) => event === name).map(({ payload }) => payload);
  }

  get everything(): string {
    return this.#events.map(({ event, payload }) => `${event} ${everythingIn(payload)}`).join('\n');
  }
}

/** Runs sign-ins with every possible end. @returns their secrets */
export async function runEveryOutcome(site: Site): Promise<Secrets> {
  const signIns = new SignIns(site, await phoneOf(site));
  await signIns.signIn();
  await signIns.refuse();
  await signIns.typeCheckCodes();
  await signIns.typeShortCodes();
  await signIns.makeMistakes();
  await signIns.usePasskeys();
  return signIns.allSecrets();
}

/** The sign-ins with alice's phone, and all of their browsers. */
class SignIns {
  readonly #site: Site;
  readonly #phone: PhoneVisitor;
  readonly #agents: Agent[] = [];
  readonly #secrets = new Secrets();

  constructor(site: Site, phone: PhoneVisitor) {
    this.#site = site;
    this.#phone = phone;
    this.#agents.push(phone.agent);
    this.#secrets.add('password', passwordOf('alice'), passwordOf('bob')).add('client secret', site.client.secret);
  }

  async allSecrets(): Promise<Secrets> {
    for (const agent of this.#agents) await this.#secrets.addCookies('an agent', agent);
    return this.#secrets;
  }

  async signIn(): Promise<void> {
    const browser = await this.#meet();
    await scanAndApprove(this.#phone, browser);
    const tokens = await browser.tokens((await browser.finish()).json().redirectTo);
    this.#secrets.add('access token', tokens.access_token).add('id token', tokens.id_token);
    await browser.finish();
  }

  async refuse(): Promise<void> {
    for (const decision of ['deny', 'unable', 'nonsense']) {
      const browser = await this.#meet();
      await this.#scan(browser);
      await sendDecision(this.#phone, { decision });
      await sendDecision(this.#phone, { decision: 'approve' });
      await browser.finish();
      await browser.finish();
    }
    const risky = await phoneOf(this.#site, 'bob', { 'user-agent': 'Mozilla/5.0 (risky)' });
    this.#agents.push(risky.agent);
    await scanCode(risky, await this.#meet());
  }

  async typeCheckCodes(): Promise<void> {
    const browser = await this.#meet({ 'user-agent': 'Mozilla/5.0 (unfamiliar)' });
    const checkCode = await scanAndApprove(this.#phone, browser);
    this.#secrets.add('check code', checkCode);
    await browser.finish();
    // A broken page may send malformed JSON: the error must not contain its digits.
    for (const body of [`{"checkCode":"${checkCode}"`, `{"checkCode":x"${checkCode}"}`, `["${checkCode}"]`]) {
      await browser.agent.post(`${browser.at}/qr/finish`, { body, headers: { 'content-type': 'application/json' } });
    }
    const wrong = `${(Number(checkCode) + 1) % 1_000_000}`.padStart(6, '0');
    for (let tries = 0; tries < 3; tries++) await browser.finish(wrong);
    await browser.finish(checkCode);
  }

  async typeShortCodes(): Promise<void> {
    const [phone, browser] = [this.#phone, await this.#meet()];
    const url = `${this.#site.issuer}/qr/scan`;
    const shortCode = await shortCodeOn(browser);
    this.#secrets.add('short code', shortCode, shortCode.replace('-', ''), shortCode.toLowerCase());
    const { csrf } = (await phone.look(url)).json();
    this.#secrets.add('csrf', csrf);
    await phone.submit(url, { shortCode, csrf: 'wrong' });
    const json = { 'content-type': 'application/json' };
    await phone.agent.post(url, { body: `{"csrf":"${csrf}","shortCode":${shortCode}}`, headers: json });
    await phone.look(`${this.#site.issuer}/qr/${shortCode}`);
    await phone.post(url, { shortCode, csrf: `${csrf}` });
    await browser.post(`${browser.at}/qr/renew`, {});
    await phone.submit(url, { shortCode, csrf: `${csrf}` });
  }

  async makeMistakes(): Promise<void> {
    const [phone, browser] = [this.#phone, await this.#meet()];
    const code = await browser.code();
    await this.#scan(browser);
    const { csrf } = (await phone.look()).json();
    await sendDecision(phone, { decision: 'approve', csrf: 'wrong' });
    await sendDecision(phone, { decision: 'approve' }, { origin: 'https://evil.example' });
    const json = { 'content-type': 'application/json' };
    await phone.agent.post(phone.at, { body: `{"decision":"approve","csrf":"${csrf}"`, headers: json });
    await phone.agent.post(phone.at, { body: `{"csrf":${csrf}}`, headers: json });
    await phone.agent.post(phone.at, { body: `${csrf}`, headers: { 'content-type': 'text/plain' } });
    await phone.post(phone.at, { csrf: `${csrf}`, proof: 'x'.repeat(5000) });
    await phone.look(`${this.#site.issuer}/qr/tickets/${code.slice(-24)}`);
    await new PhoneVisitor(this.#site).look(code);
    await new BrowserVisitor(this.#site).agent.get(`${browser.at}/qr`);
    await browser.finish();
    await browser.post(`${browser.at}/qr/renew`, {});
    await sendDecision(phone, { decision: 'approve', csrf: `${csrf}` });
    // Some cameras percent-encode more of an address than they must.
    await phone.look(code.replace(/.(?=.{0,45}$)/g, (one) => `%${one.charCodeAt(0).toString(16)}`));
  }

  async usePasskeys(): Promise<void> {
    const passkey = await new Authenticator(this.#site.issuer).register(this.#phone);
    const browser = await this.#meet();
    await this.#scan(browser);
    await approveWith(this.#phone, '');
    for (const proof of [
      '{"id":"of nothing',
      passkey.answer('A'.repeat(43)),
      passkey.answer(await challengeOnPhone(this.#phone)),
    ]) {
      this.#secrets.add('passkey answer', proof, signatureIn(proof));
      await approveWith(this.#phone, proof);
    }
    const here = await this.#meet();
    const broken = passkey.answer(await challengeInBrowser(here), { isUserVerified: false });
    for (const proof of [broken, broken.slice(0, -1), passkey.answer(await challengeInBrowser(here))]) {
      this.#secrets.add('passkey answer', proof, signatureIn(proof));
      await signInWith(here, proof);
    }
    const reported = await this.#meet();
    await this.#scan(reported);
    await sendDecision(this.#phone, { decision: 'report' });
    await reported.finish();
  }

  async #meet(headers: TextFields = {}): Promise<BrowserVisitor> {
    const browser = await browserAt(this.#site, headers);
    this.#agents.push(browser.agent);
    const code = await browser.code();
    this.#secrets.addCode(code).add("the interaction's uid", new URL(browser.at).pathname.split('/').at(-1));
    this.#secrets.add('csrf', (await this.#phone.look(code)).json().csrf);
    return browser;
  }

  async #scan(browser: BrowserVisitor): Promise<void> {
    this.#secrets.add('csrf', (await scanCode(this.#phone, browser)).json().csrf);
  }
}

function signatureIn(proof: string): string | undefined {
  return /"signature":"([^"]+)"/.exec(proof)?.[1];
}
