/**
 * Rows 7 and 22 of the table in docs/security.md: a phone must be signed in to approve; the session gets a new id when
 * the browser is signed in.
 */

import { ProofRefused } from '../../../src/index.ts';
import type { Fixture } from '../../fixtures/provider.ts';
import { BrowserVisitor, PhoneVisitor, type Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { approveSignIn, copyCookies, phoneOf, signOut, subjectOf } from './people.ts';

export const sessionsThatNeverEnd: Weakness = {
  defence: 'sessions that end',
  options: {
    extend: ({ provider }: Fixture): void => {
      replacing(provider.Session.prototype, 'destroy', () => async () => undefined)();
    },
  },
};

const sessionsThatKeepTheirId: Weakness = {
  defence: 'a new session id at each sign-in',
  options: {
    extend: ({ provider }: Fixture): void => {
      replacing(provider.Session.prototype, 'resetIdentifier', () => () => undefined)();
    },
  },
};

/** The answer of a device that has alice's passkey. */
export const PASSKEY = "the answer of alice's passkey";
export const ALICE = 'a11ce';

export const withPasskey: WorldOptions = {
  qrLogin: {
    passkeySignIn: {
      options: () => ({}),
      verify: (_nonce, answer) => {
        if (answer !== PASSKEY) throw new ProofRefused('not a passkey');
        return { accountId: ALICE, amr: ['pop'] };
      },
    },
  },
};

export const sessions: Attack[] = [
  {
    row: 7,
    name: "a thief of a phone's cookies approves with them after the phone has signed out",
    without: sessionsThatNeverEnd,
    run: async (site) => {
      const browser = new BrowserVisitor(site);
      await browser.start();
      const alice = await phoneOf(site, 'alice');
      await alice.scan(await browser.code());
      const thief = new PhoneVisitor(site);
      await copyCookies(alice.agent, thief.agent, alice.at);
      thief.at = alice.at;
      if ((await thief.look()).status !== 200) throw new Error('the cookies are not those of the phone');
      await signOut(alice.agent, site);
      await thief.decide('approve');
      const { state } = await browser.ticket();
      return state === 'approved' ? state : undefined;
    },
  },
  {
    row: 7,
    name: "a thief of a phone's cookies scans with them after the phone has signed out",
    without: sessionsThatNeverEnd,
    run: async (site) => {
      const browser = new BrowserVisitor(site);
      await browser.start();
      const alice = await phoneOf(site, 'alice');
      const thief = new PhoneVisitor(site);
      const code = await browser.code();
      const { csrf } = (await alice.look(code)).json();
      await copyCookies(alice.agent, thief.agent, code);
      await signOut(alice.agent, site);
      await thief.post(code, { csrf: `${csrf}` });
      const { state } = await browser.ticket();
      return state === 'scanned' ? state : undefined;
    },
  },
  {
    row: 7,
    name: 'the browser finishes after the phone that approved has signed out',
    without: sessionsThatNeverEnd,
    run: async (site) => {
      const { browser, phone } = await approveSignIn(site, 'alice');
      await signOut(phone.agent, site);
      await browser.finish();
      const { state } = await browser.ticket();
      return state === 'redeemed' ? 'a browser that is signed in' : undefined;
    },
  },
  {
    row: 22,
    name: "an attacker who planted a session in the victim's browser is signed in with it by the phone",
    without: sessionsThatKeepTheirId,
    run: async (site) =>
      plant(site, async (browser) => {
        const alice = await phoneOf(site, 'alice');
        await alice.scan(await browser.code());
        await alice.approve();
        return (await browser.finish()).json().redirectTo;
      }),
  },
  {
    row: 22,
    name: "an attacker who planted a session in the victim's browser is signed in with it by a passkey",
    on: withPasskey,
    without: sessionsThatKeepTheirId,
    run: async (site) =>
      plant(site, async (browser) => {
        return (await browser.post(`${browser.at}/qr/passkey`, { proof: PASSKEY })).json().redirectTo;
      }),
  },
];

/** Plants the attacker's session in the victim's browser before the sign-in. @returns the stolen sign-in, if any */
async function plant(site: Site, signIn: (victim: BrowserVisitor) => Promise<unknown>): Promise<string | undefined> {
  const attacker = new BrowserVisitor(site);
  // The provider's sign-out page makes a session for every visitor.
  await attacker.agent.get(`${site.issuer}/session/end`);
  const victim = new BrowserVisitor(site);
  await copyCookies(attacker.agent, victim.agent, site.issuer);
  if (!(await sessionCookie(victim, site))) throw new Error('there is no session to plant');
  await victim.start();
  const { sub } = (await victim.tokens(await signIn(victim))).claims() ?? {};
  const alice = await subjectOf(site, 'alice');
  if (sub !== alice) throw new Error('the victim is not signed in');

  const arrived = await attacker.start();
  if (!arrived.location.startsWith(site.client.callback)) return undefined;
  const stolen = (await attacker.exchange(arrived.location)).claims()?.sub;
  return stolen === alice ? `a sign-in as ${stolen}` : undefined;
}

async function sessionCookie({ agent }: BrowserVisitor, { issuer }: Site): Promise<boolean> {
  return (await agent.jar.getCookies(issuer)).some(({ key }) => key === '_session');
}
