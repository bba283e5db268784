/**
 * Row 27 of the table in docs/security.md: an account that is signed in to a browser is not replaced by another account
 * unless the user there agrees.
 */
import type { Provider } from 'oidc-provider';
import { BrowserActs } from '../../../src/ticket/browser.ts';
import { SecretKeys } from '../../../src/ticket/secret-keys.ts';
import type { Answer } from '../../support/agent.ts';
import type { BrowserVisitor, Site } from '../../support/visitors.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { Authenticator } from '../guard/authenticator.ts';
import { accountAt, approve, expectStatus, goOn, openQrPage, signInPhone, stealCookies } from '../scene.ts';
import { all, bindingFromTheUrl } from '../weaknesses.ts';

/** A server that ignores the account that is signed in to the browser already. */
const noQuestion: Weakness = {
  defence: 'the question of which account to keep',
  options: { extend: ({ provider }) => forgetReplacedAccount(provider) },
  patch: all(
    replacing(
      BrowserActs.prototype,
      'finish',
      (original) =>
        function (this: BrowserActs, identity, said, assertAccount) {
          return original.call(this, { ...identity, accountId: undefined }, said, assertAccount);
        },
    ),
    replacing(
      BrowserActs.prototype,
      'signInHere',
      (original) =>
        function (this: BrowserActs, identity, who, asked) {
          return original.call(this, { ...identity, accountId: undefined }, who, asked);
        },
    ),
  ),
};

/** Removes from each login result the account that was signed in when the result was made. */
function forgetReplacedAccount(provider: Provider): void {
  const write = provider.interactionResult.bind(provider);
  provider.interactionResult = (req, res, { login, ...result }, options) => {
    const forgetful = login && { login: { ...login, replaces: undefined } };
    return write(req, res, { ...result, ...forgetful }, options);
  };
}

/** Signs Bob in in another tab of the same browser. The first tab stays on its page. */
async function bobSignsInBeside(browser: BrowserVisitor): Promise<void> {
  const first = browser.at;
  expectStatus(await browser.start(), 200, 'the QR page of another tab');
  await goOn(browser, await browser.signInWithPassword('bob'));
  browser.at = first;
  const account = await accountAt(browser.site, browser.agent);
  if (account === undefined) throw new Error('Bob is not signed in');
}

/** Returns a browser in which Bob is signed in, and whose ticket Alice has approved. */
async function approveWhereBobIs(site: Site): Promise<{ browser: BrowserVisitor; checkCode: string }> {
  const [browser, phone] = await Promise.all([openQrPage(site), signInPhone(site)]);
  expectStatus(await phone.scan(await browser.code()), 200, 'the confirm page');
  const checkCode = (await approve(phone)) ?? '';
  await bobSignsInBeside(browser);
  return { browser, checkCode };
}

/** Acts and follows the redirect. @returns the accounts before and after, if the browser's account has changed */
async function replacedBy(browser: BrowserVisitor, act: () => Promise<Answer>): Promise<string | undefined> {
  const before = await accountAt(browser.site, browser.agent);
  const answer = await act();
  if (answer.status === 200) await goOn(browser, answer.json().redirectTo);
  if (answer.status === 303) await goOn(browser, answer.location);
  const after = await accountAt(browser.site, browser.agent);
  return before === after ? undefined : `the browser was signed in as ${before}, and is now signed in as ${after}`;
}

/** Requests that look like an agreement but are not. */
const NO_AGREEMENT: readonly (readonly [query: string, body: Record<string, string>])[] = [
  ['?switchAccount=yes', {}],
  ['', { switchAccount: '' }],
  ['', { switchAccount: 'no' }],
  ['', { switchAccount: 'YES' }],
  ['', { switchAccount: 'true' }],
  ['', { switchaccount: 'yes' }],
  ['', { 'switchAccount[]': 'yes' }],
];

async function passkeyOf(name: string, site: Site): Promise<Authenticator> {
  return new Authenticator(site.issuer).register(await signInPhone(site, name));
}

/** Returns the challenge with which the browser's page asks for a passkey. */
async function challengeAt(browser: BrowserVisitor): Promise<string | undefined> {
  const page = await browser.agent.get(browser.at, { headers: { accept: 'text/html' } });
  const [, options = '{}'] = /data-passkey="([^"]*)"/.exec(page.text) ?? [];
  const asked: { challenge?: string } = JSON.parse(options.replaceAll('&quot;', '"').replaceAll('&#34;', '"'));
  return asked.challenge;
}

async function signInWithPasskey(browser: BrowserVisitor, passkey: Authenticator): Promise<Answer> {
  const challenge = await challengeAt(browser);
  if (challenge === undefined) throw new Error('the page asks for no passkey');
  return browser.post(`${browser.at}/qr/passkey`, { proof: passkey.answer(challenge) });
}

const withPasskeys = { passkeys: true };

export const attacks: readonly Attack[] = [
  {
    row: 27,
    name: "finishes with Alice's approval in a browser where Bob is signed in, without an agreement",
    run: async (site) => {
      const { browser, checkCode } = await approveWhereBobIs(site);
      return replacedBy(browser, () => browser.finish(checkCode));
    },
    without: noQuestion,
  },
  {
    row: 27,
    name: 'finishes by a form without script in a browser where Bob is signed in',
    run: async (site) => {
      const { browser, checkCode } = await approveWhereBobIs(site);
      return replacedBy(browser, () => browser.submit(`${browser.at}/qr/finish`, { checkCode }));
    },
    without: noQuestion,
  },
  {
    row: 27,
    name: 'finishes in a browser where Bob is signed in, with fields that only look like an agreement',
    run: async (site) => {
      const { browser, checkCode } = await approveWhereBobIs(site);
      for (const [query, body] of NO_AGREEMENT) {
        const answer = (): Promise<Answer> => browser.post(`${browser.at}/qr/finish${query}`, { checkCode, ...body });
        const got = await replacedBy(browser, answer);
        if (got !== undefined) return `${got}: ${query}${JSON.stringify(body)}`;
      }
      return undefined;
    },
    without: noQuestion,
  },
  {
    row: 27,
    name: 'finishes before Bob signs in in another tab, and resumes after that',
    run: async (site) => {
      const [browser, phone] = await Promise.all([openQrPage(site), signInPhone(site)]);
      expectStatus(await phone.scan(await browser.code()), 200, 'the confirm page');
      const finished = expectStatus(await browser.finish(await approve(phone)), 200, 'finishing');
      await bobSignsInBeside(browser);
      return replacedBy(browser, async () => finished);
    },
    without: noQuestion,
  },
  {
    row: 27,
    name: "signs in with Alice's passkey in a browser where Bob is signed in, without an agreement",
    on: withPasskeys,
    run: async (site) => {
      const [browser, passkey] = await Promise.all([openQrPage(site), passkeyOf('alice', site)]);
      await bobSignsInBeside(browser);
      return replacedBy(browser, () => signInWithPasskey(browser, passkey));
    },
    without: noQuestion,
  },
  {
    row: 27,
    name: "signs the victim's browser in to the attacker's account, with the attacker's passkey",
    on: withPasskeys,
    run: async (site) => {
      const [victim, passkey, own] = await Promise.all([openQrPage(site), passkeyOf('bob', site), openQrPage(site)]);
      expectStatus(await signInWithPasskey(own, passkey), 200, "the attacker's own sign-in");
      const attacker = await stealCookies(victim, (cookie) => !cookie.includes('_qr_'));
      // If the victim's page shows no challenge to the attacker, take one from a page of the attacker's own.
      const challenge = (await challengeAt(attacker)) ?? (await challengeAt(await openQrPage(site)));
      if (challenge === undefined) throw new Error('no page asks for a passkey');
      await attacker.post(`${attacker.at}/qr/passkey`, { proof: passkey.answer(challenge) });
      const answer = await victim.finish();
      if (answer.status === 200) await goOn(victim, answer.json().redirectTo);
      const account = await accountAt(site, victim.agent);
      return account === undefined ? undefined : `the victim's browser is signed in as ${account}`;
    },
    without: { defence: 'the binding cookie', patch: bindingFromTheUrl },
  },
  {
    row: 27,
    name: "signs in on the attacker's own page with a passkey's answer to the victim's challenge",
    on: withPasskeys,
    run: async (site) => {
      const [victim, own, passkey] = await Promise.all([openQrPage(site), openQrPage(site), passkeyOf('alice', site)]);
      const relayed = passkey.answer((await challengeAt(victim)) ?? '');
      const answer = await own.post(`${own.at}/qr/passkey`, { proof: relayed });
      if (answer.status === 200) await goOn(own, answer.json().redirectTo);
      const account = await accountAt(site, own.agent);
      return account === undefined ? undefined : `the session of ${account}`;
    },
    without: { defence: 'a challenge for each browser', patch: oneChallengeForAll() },
  },
];

/** A server that has the same passkey challenge for every browser. */
function oneChallengeForAll(): () => () => void {
  return replacing(
    SecretKeys.prototype,
    'candidates',
    (original) =>
      function (this: SecretKeys, purpose, ...parts) {
        return original.call(this, purpose, ...(purpose === 'nonce' ? [] : parts));
      },
  );
}
