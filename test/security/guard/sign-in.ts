/** Rows 1 and 27: a passkey beside the code signs in its owner, in the browser that was asked, for this request. */
import { BrowserActs, type SigningInHere } from '../../../src/ticket/browser.ts';
import type { Answer } from '../../support/agent.ts';
import { BrowserVisitor } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { browserAt, phoneOf, scanned } from '../meeting.ts';
import { plainNo, reportedBy } from '../risk/reports.ts';
import { accountAt, goOn, startWith, thief } from '../scene.ts';
import { bindingFromTheUrl } from '../weaknesses.ts';
import { unchecked } from './lax.ts';
import { asked, askedBy, person, signInWith } from './people.ts';

const offered: WorldOptions = { passkeys: true };

/** Where apps may ask for a certain person, or a certain way to sign in (OIDC Core, section 5.5). */
const demandable: WorldOptions = {
  ...offered,
  configuration: { features: { devInteractions: { enabled: false }, claimsParameter: { enabled: true } } },
};

/** Who is signed in to the browser after this answer. */
async function accountAfter(browser: BrowserVisitor, answer: Answer): Promise<string | undefined> {
  if (answer.status === 200) await goOn(browser, answer.json().redirectTo);
  return accountAt(browser.site, browser.agent);
}

/** A server that takes the passkey's owner for whoever is asked for. */
function askingFor(name: string, changed: (signingIn: SigningInHere) => SigningInHere): Weakness {
  const patch = replacing(
    BrowserActs.prototype,
    'signInHere',
    (original) =>
      function (this: BrowserActs, identity, who, signingIn) {
        return original.call(this, identity, who, changed(signingIn));
      },
  );
  return { name, patch };
}

const demanding = askingFor('what the app demands', ({ demand, said }) => ({
  said,
  demand: { ...demand, request: { ...demand.request, requirements: {} } },
}));

function idTokenClaims(claims: object): Record<string, string> {
  return { claims: JSON.stringify({ id_token: claims }) };
}

/** What an app may demand that alice's passkey does not meet. */
const demands: Attack[] = (
  [
    ['another account', { sub: { value: 'b0b' } }],
    ['another class', { acr: { essential: true, value: 'urn:example:acr:password' } }],
  ] as const
).map(([what, claims]) => ({
  row: 26,
  name: `signs in with a passkey where the app demands ${what}`,
  on: demandable,
  without: demanding,
  run: async (site) => {
    const { passkey } = await person(site);
    const browser = new BrowserVisitor(site);
    await startWith(browser, idTokenClaims(claims));
    return accountAfter(browser, await signInWith(browser, passkey.answer(await askedBy(browser))));
  },
}));

export const signIns: Attack[] = [
  {
    row: 1,
    name: "sends what the victim's passkey said at the victim's browser",
    on: offered,
    without: unchecked('challenge'),
    run: async (site) => {
      const { passkey } = await person(site);
      const [victim, attacker] = [await browserAt(site), await browserAt(site)];
      const proof = passkey.answer(await askedBy(victim));
      return accountAfter(attacker, await signInWith(attacker, proof));
    },
  },
  {
    row: 1,
    name: "sends what the victim's passkey said to approve something",
    on: offered,
    without: unchecked('challenge'),
    run: async (site) => {
      const { phone, passkey } = await person(site);
      const [victim, attacker] = [await browserAt(site), await browserAt(site)];
      await scanned(phone, victim);
      return accountAfter(attacker, await signInWith(attacker, passkey.answer(await asked(phone))));
    },
  },
  {
    row: 1,
    name: "sends what the victim's passkey said at the same interaction, but not from the browser that was asked",
    on: offered,
    without: { name: 'the binding cookie', patch: bindingFromTheUrl },
    run: async (site) => {
      const { passkey } = await person(site);
      const victim = await browserAt(site);
      const attacker = await thief(victim, (cookie) => cookie.startsWith('_interaction'));
      return accountAfter(attacker, await signInWith(attacker, passkey.answer(await askedBy(victim))));
    },
  },
  {
    row: 1,
    name: 'signs in with a passkey that somebody has left there unlocked, without PIN or finger',
    on: offered,
    without: unchecked('user verification'),
    run: async (site) => {
      const { passkey } = await person(site);
      const attacker = await browserAt(site);
      const proof = passkey.answer(await askedBy(attacker), { isUserVerified: false });
      return accountAfter(attacker, await signInWith(attacker, proof));
    },
  },
  {
    row: 27,
    name: 'signs in with a passkey where another account is signed in, and nobody has agreed to that',
    on: offered,
    without: askingFor('asking', ({ demand }) => ({ demand, said: { switchAccount: true } })),
    run: async (site) => {
      const { passkey } = await person(site);
      const browser = await browserAt(site);
      await goOn(browser, await browser.signInWithPassword('bob'));
      await startWith(browser, { prompt: 'login' });
      if (!(await accountAt(site, browser.agent))?.startsWith('Bob')) throw new Error('bob is not signed in');
      const now = await accountAfter(browser, await signInWith(browser, passkey.answer(await askedBy(browser))));
      return now?.startsWith('Bob') ? undefined : now;
    },
  },
  {
    row: 16,
    name: 'goes on with a passkey at an interaction that was reported',
    on: offered,
    without: plainNo,
    run: async (site) => {
      const { passkey } = await person(site, 'bob');
      const attacker = await browserAt(site);
      const challenge = await askedBy(attacker);
      await reportedBy(await phoneOf(site), attacker);
      return accountAfter(attacker, await signInWith(attacker, passkey.answer(challenge)));
    },
  },
  ...demands,
];
