/** Rows 7 and 22: who approves is signed in then; who is signed in gets a session that nobody knew before. */

import { ProofRefused } from '../../../src/index.ts';
import type { Fixture } from '../../fixtures/provider.ts';
import { BrowserVisitor, PhoneVisitor, type Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { approved, copyCookies, phoneOf, signOut, subjectOf } from './people.ts';

export const sessionsThatNeverEnd: Weakness = {
  name: 'an end of sessions',
  options: {
    extend: ({ provider }: Fixture): void => {
      replacing(provider.Session.prototype, 'destroy', () => async () => undefined)();
    },
  },
};

const sessionsThatKeepTheirId: Weakness = {
  name: 'a new id for a session that somebody signs in to',
  options: {
    extend: ({ provider }: Fixture): void => {
      replacing(provider.Session.prototype, 'resetIdentifier', () => () => undefined)();
    },
  },
};

/** A device that has alice's passkey answers with this. */
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
    name: 'whoever has copied the cookies of a phone approves with them after it has signed out',
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
    name: 'whoever has copied the cookies of a phone scans with them after it has signed out',
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
    name: 'the browser finishes what a phone has approved that has signed out since',
    without: sessionsThatNeverEnd,
    run: async (site) => {
      const { browser, phone } = await approved(site, 'alice');
      await signOut(phone.agent, site);
      await browser.finish();
      const { state } = await browser.ticket();
      return state === 'redeemed' ? 'a browser that is signed in' : undefined;
    },
  },
  {
    row: 22,
    name: 'who has planted a session in the browser is signed in along with whom the phone signs in there',
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
    name: 'who has planted a session in the browser is signed in along with whom a passkey signs in there',
    on: withPasskey,
    without: sessionsThatKeepTheirId,
    run: async (site) =>
      plant(site, async (browser) => {
        return (await browser.post(`${browser.at}/qr/passkey`, { proof: PASSKEY })).json().redirectTo;
      }),
  },
];

/** The attacker's session is in the victim's browser before anybody signs in there. */
async function plant(site: Site, signIn: (victim: BrowserVisitor) => Promise<unknown>): Promise<string | undefined> {
  const attacker = new BrowserVisitor(site);
  // The provider's page for signing out makes a session for whoever asks for it.
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
