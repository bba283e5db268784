/**
 * Row 16 of the table in docs/security.md: a sign-in that has ended cannot be continued, not even in the same browser.
 */
import { BrowserActs } from '../../../src/ticket/browser.ts';
import type { BrowserVisitor, PhoneVisitor } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { Authenticator } from '../guard/authenticator.ts';
import { accountAt, expectStatus, goOn, scanAndApprove, scanOnPhone, signInPhone, uidOf } from '../scene.ts';
import { interactionFromTheUrl } from '../weaknesses.ts';

const reportsForgotten: Weakness = {
  defence: 'a check for reports',
  patch: replacing(BrowserActs.prototype, 'isReported', () => async () => false),
};

const passkeysUnasked: Weakness = {
  defence: 'a check for reports',
  patch: replacing(BrowserActs.prototype, 'signInHere', () => async () => undefined),
};

/** A provider that keeps an interaction after its sign-in has ended. */
const endlessInteractions: WorldOptions = {
  extend: (example) => {
    interactionFromTheUrl.extend?.(example);
    example.provider.Interaction.prototype.destroy = async () => undefined;
  },
};

/** Signs out, before the next user comes to the device. */
async function signOut({ agent, site }: BrowserVisitor | PhoneVisitor): Promise<void> {
  const asked = await agent.get(`${site.issuer}/session/end`, { headers: { accept: 'text/html' } });
  const [, xsrf = ''] = /name="xsrf" value="([\w-]+)"/.exec(asked.text) ?? [];
  await agent.post(`${site.issuer}/session/end/confirm`, { form: { xsrf, logout: 'yes' } });
  if ((await accountAt(site, agent)) !== undefined) throw new Error('the device is still signed in');
}

async function report(phone: PhoneVisitor): Promise<void> {
  const { csrf } = (await phone.look()).json();
  expectStatus(await phone.post(phone.at, { csrf: `${csrf}`, decision: 'report' }), 200, 'reporting');
}

export const attacks: readonly Attack[] = [
  {
    row: 16,
    name: 'the next user of the same browser repeats the finish and its redirects',
    run: async (site) => {
      const { browser, checkCode } = await scanAndApprove(site);
      const { redirectTo } = expectStatus(await browser.finish(checkCode), 200, 'finishing').json();
      await goOn(browser, redirectTo);
      await signOut(browser);
      const again = await browser.finish(checkCode);
      await goOn(browser, again.status === 200 ? again.json().redirectTo : redirectTo);
      const account = await accountAt(site, browser.agent);
      return account && `the session of ${account}`;
    },
    without: { defence: 'an end of the interaction', options: endlessInteractions },
  },
  {
    row: 16,
    name: 'a reported browser signs in at the password page below the URL of another interaction',
    run: async (site) => {
      const { browser, phone } = await scanOnPhone(site);
      await report(phone);
      for (const { key, value } of await browser.agent.jar.getCookies(browser.at)) {
        if (key.startsWith('_interaction')) await browser.agent.jar.setCookie(`${key}=${value}; path=/`, browser.at);
      }
      browser.at = browser.at.replace(uidOf(browser), 'another');
      const location = await browser.signInWithPassword('bob');
      if (location !== '') await goOn(browser, location);
      const account = await accountAt(site, browser.agent);
      return account && `the session of ${account}`;
    },
    without: reportsForgotten,
  },
  {
    row: 16,
    name: 'a reported browser signs in with a passkey',
    on: { passkeys: true },
    run: async (site) => {
      const [{ browser, phone }, bob] = await Promise.all([scanOnPhone(site), signInPhone(site, 'bob')]);
      const passkey = await new Authenticator(site.issuer).register(bob);
      const page = await browser.agent.get(browser.at, { headers: { accept: 'text/html' } });
      const [, challenge] = /challenge(?:&quot;|&#34;):(?:&quot;|&#34;)([\w-]+)/.exec(page.text) ?? [];
      if (challenge === undefined) throw new Error('the page asks for no passkey');
      await report(phone);
      const answer = await browser.post(`${browser.at}/qr/passkey`, { proof: passkey.answer(challenge) });
      if (answer.status === 200) await goOn(browser, answer.json().redirectTo);
      const account = await accountAt(site, browser.agent);
      return account && `the session of ${account}`;
    },
    without: passkeysUnasked,
  },
];
