/**
 * Rows 1, 16, 26 and 27 of the table in docs/security.md: a passkey signs in only its owner, in the browser that asked
 * for it, for this request.
 */
import { BrowserActs, type LocalSignInInput } from '../../../src/ticket/browser.ts';
import type { Answer } from '../../support/agent.ts';
import { BrowserVisitor } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { browserAt, phoneOf, scanCode } from '../meeting.ts';
import { reportAsDenial, reportCode } from '../risk/reports.ts';
import { accountAt, goOn, startWith, stealCookies } from '../scene.ts';
import { bindingFromTheUrl } from '../weaknesses.ts';
import { unchecked } from './lax.ts';
import { challengeInBrowser, challengeOnPhone, phoneWithPasskey, signInWith } from './people.ts';

const offered: WorldOptions = { passkeys: true };

/** A server on which apps may demand a certain account or acr (OIDC Core, section 5.5). */
const demandable: WorldOptions = {
  ...offered,
  configuration: { features: { devInteractions: { enabled: false }, claimsParameter: { enabled: true } } },
};

/** Follows the answer. @returns the account that is then signed in to the browser */
async function accountAfter(browser: BrowserVisitor, answer: Answer): Promise<string | undefined> {
  if (answer.status === 200) await goOn(browser, answer.json().redirectTo);
  return accountAt(browser.site, browser.agent);
}

/** A server that changes the request for a sign-in by passkey before it is checked. */
function askingFor(name: string, changed: (signingIn: LocalSignInInput) => LocalSignInInput): Weakness {
  const patch = replacing(
    BrowserActs.prototype,
    'signInHere',
    (original) =>
      function (this: BrowserActs, identity, who, signingIn) {
        return original.call(this, identity, who, changed(signingIn));
      },
  );
  return { defence: name, patch };
}

const demanding = askingFor('the demands of the app', ({ demand, input }) => ({
  input,
  demand: { ...demand, request: { ...demand.request, requirements: {} } },
}));

function idTokenClaims(claims: object): Record<string, string> {
  return { claims: JSON.stringify({ id_token: claims }) };
}

/** Demands of an app that alice's passkey does not meet. */
const demands: Attack[] = (
  [
    ['another account', { sub: { value: 'b0b' } }],
    ['another acr', { acr: { essential: true, value: 'urn:example:acr:password' } }],
  ] as const
).map(([what, claims]) => ({
  row: 26,
  name: `signs in with a passkey although the app demands ${what}`,
  on: demandable,
  without: demanding,
  run: async (site) => {
    const { passkey } = await phoneWithPasskey(site);
    const browser = new BrowserVisitor(site);
    await startWith(browser, idTokenClaims(claims));
    return accountAfter(browser, await signInWith(browser, passkey.answer(await challengeInBrowser(browser))));
  },
}));

/** Answers whose user handle does not name the owner of the passkey (WebAuthn Level 3, section 7.2). */
const handles: Attack[] = (
  [
    ['names another account as its owner', 'b0b'],
    ['names no owner', ''],
  ] as const
).map(([what, owner]) => ({
  row: 31,
  name: `signs in with an answer of a passkey that ${what}`,
  on: offered,
  without: unchecked('user handle'),
  run: async (site) => {
    const { passkey } = await phoneWithPasskey(site);
    const browser = await browserAt(site);
    return accountAfter(
      browser,
      await signInWith(browser, passkey.answer(await challengeInBrowser(browser), { owner })),
    );
  },
}));

export const signIns: Attack[] = [
  {
    row: 1,
    name: "sends an answer that the victim's passkey gave in the victim's browser",
    on: offered,
    without: unchecked('challenge'),
    run: async (site) => {
      const { passkey } = await phoneWithPasskey(site);
      const [victim, attacker] = [await browserAt(site), await browserAt(site)];
      const proof = passkey.answer(await challengeInBrowser(victim));
      return accountAfter(attacker, await signInWith(attacker, proof));
    },
  },
  {
    row: 1,
    name: "sends an answer that the victim's passkey gave for an approval",
    on: offered,
    without: unchecked('challenge'),
    run: async (site) => {
      const { phone, passkey } = await phoneWithPasskey(site);
      const [victim, attacker] = [await browserAt(site), await browserAt(site)];
      await scanCode(phone, victim);
      return accountAfter(attacker, await signInWith(attacker, passkey.answer(await challengeOnPhone(phone))));
    },
  },
  {
    row: 1,
    name: "sends an answer of the victim's passkey for the same interaction, but from another browser",
    on: offered,
    without: { defence: 'the binding cookie', patch: bindingFromTheUrl },
    run: async (site) => {
      const { passkey } = await phoneWithPasskey(site);
      const victim = await browserAt(site);
      const attacker = await stealCookies(victim, (cookie) => cookie.startsWith('_interaction'));
      return accountAfter(attacker, await signInWith(attacker, passkey.answer(await challengeInBrowser(victim))));
    },
  },
  {
    row: 1,
    name: 'signs in with a passkey that was left unlocked, without user verification',
    on: offered,
    without: unchecked('user verification'),
    run: async (site) => {
      const { passkey } = await phoneWithPasskey(site);
      const attacker = await browserAt(site);
      const proof = passkey.answer(await challengeInBrowser(attacker), { isUserVerified: false });
      return accountAfter(attacker, await signInWith(attacker, proof));
    },
  },
  {
    row: 27,
    name: 'signs in with a passkey in a browser where another account is signed in, without an agreement',
    on: offered,
    without: askingFor('the question of which account to keep', ({ demand }) => ({
      demand,
      input: { switchAccount: true },
    })),
    run: async (site) => {
      const { passkey } = await phoneWithPasskey(site);
      const browser = await browserAt(site);
      await goOn(browser, await browser.signInWithPassword('bob'));
      await startWith(browser, { prompt: 'login' });
      if (!(await accountAt(site, browser.agent))?.startsWith('Bob')) throw new Error('bob is not signed in');
      const now = await accountAfter(
        browser,
        await signInWith(browser, passkey.answer(await challengeInBrowser(browser))),
      );
      return now?.startsWith('Bob') ? undefined : now;
    },
  },
  {
    row: 16,
    name: 'signs in with a passkey at an interaction that was reported',
    on: offered,
    without: reportAsDenial,
    run: async (site) => {
      const { passkey } = await phoneWithPasskey(site, 'bob');
      const attacker = await browserAt(site);
      const challenge = await challengeInBrowser(attacker);
      await reportCode(await phoneOf(site), attacker);
      return accountAfter(attacker, await signInWith(attacker, passkey.answer(challenge)));
    },
  },
  ...demands,
  ...handles,
];
