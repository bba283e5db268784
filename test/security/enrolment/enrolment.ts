/**
 * Row 31 of the table in docs/security.md: a recent sign-in on the phone does not allow a new passkey at the browser,
 * and no other account can take over a passkey.
 */
import { sessionOf } from '../../../src/oidc/approver.ts';
import type { WorldOptions } from '../../support/world.ts';
import type { Attack, Weakness } from '../attack.ts';
import { Authenticator } from '../guard/authenticator.ts';
import { challengeInBrowser, phoneWithPasskey, signInWith } from '../guard/people.ts';
import { browserAt, phoneOf, scanAndApprove } from '../meeting.ts';
import { accountAt, goOn, startWith } from '../scene.ts';

const offered: WorldOptions = { passkeys: true };

/** A server that checks only `auth_time`, so that a recent sign-in on the phone counts as one in the browser. */
const freshByTime: Weakness = {
  defence: 'a distinction between a sign-in here and one on the phone',
  options: {
    enrolment: () => ({
      proof: async (provider, ctx) => {
        const { accountId, loginTs = 0 } = (await sessionOf(provider, ctx)) ?? {};
        return accountId !== undefined && Date.now() / 1000 - loginTs < 300 ? { accountId } : undefined;
      },
    }),
  },
};

/** A server that stores each new passkey under its id, even if another account has that id. */
const overwriting: Weakness = {
  defence: 'a refusal of ids that exist',
  options: {
    enrolment: (records) => ({
      add: async (_ctx, { accountId }, _challenge, answer) => {
        const { id } = answer as { id: string };
        const before = await records.find(id);
        if (before !== undefined) await records.save({ ...before, accountId });
      },
    }),
  },
};

export const attacks: Attack[] = [
  {
    row: 31,
    name: "adds the attacker's passkey in a browser that the victim's phone has approved",
    on: offered,
    without: freshByTime,
    run: async (site) => {
      const [browser, phone] = [await browserAt(site), await phoneOf(site)];
      const { location, status, json } = await browser.finish(await scanAndApprove(phone, browser));
      if (status !== 200) throw new Error(`the browser is not signed in: ${status} ${location}`);
      await goOn(browser, json().redirectTo);
      const passkey = new Authenticator(site.issuer);
      const answer = await passkey.enrol(browser);
      if (answer.status !== 200) return undefined;
      const later = await browserAt(site);
      const { json: signedIn } = await signInWith(later, passkey.answer(await challengeInBrowser(later)));
      await goOn(later, signedIn().redirectTo);
      return accountAt(site, later.agent);
    },
  },
  {
    row: 31,
    name: "adds the attacker's passkey after making the victim's phone sign in again before Approve",
    on: offered,
    without: freshByTime,
    run: async (site) => {
      const browser = await browserAt(site);
      await startWith(browser, { prompt: 'login' });
      const phone = await phoneOf(site);
      // The phone signs in again because the request demands it, so that `auth_time` is the present time.
      await phone.scan(await browser.code());
      const { signInAgain } = (await phone.look()).json();
      if (typeof signInAgain === 'string') {
        await phone.signInAt(new URL(signInAgain, site.issuer).href);
        await phone.look();
      }
      const { state, checkCode } = await phone.approve();
      if (state !== 'approved') throw new Error(`the phone cannot approve: ${state}`);
      const finished = await browser.finish(checkCode === undefined ? undefined : `${checkCode}`);
      await goOn(browser, finished.json().redirectTo);
      const answer = await new Authenticator(site.issuer).enrol(browser);
      return answer.status === 200 ? 'a passkey of the victim’s account' : undefined;
    },
  },
  {
    row: 31,
    name: "takes over the victim's passkey by adding one with its id to the attacker's account",
    on: offered,
    without: overwriting,
    run: async (site) => {
      const alice = await phoneWithPasskey(site);
      const bob = await phoneOf(site, 'bob');
      await new Authenticator(site.issuer).enrol(bob, alice.passkey.id);
      const browser = await browserAt(site);
      const answer = await signInWith(browser, alice.passkey.answer(await challengeInBrowser(browser)));
      if (answer.status !== 200) return 'the victim cannot sign in any more';
      await goOn(browser, answer.json().redirectTo);
      const account = await accountAt(site, browser.agent);
      return account?.startsWith('Alice') ? undefined : `${account}`;
    },
  },
];
