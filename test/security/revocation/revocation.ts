/**
 * Row 28 of the table in docs/security.md: an approval can be revoked, regardless of the browser's acts in the
 * meantime.
 */
import { RemoteSignOut } from '../../../src/http/devices/remote-sign-out.ts';
import { SignInRevocation } from '../../../src/http/devices/revocation.ts';
import type { BrowserVisitor, PhoneVisitor, Site } from '../../support/visitors.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { accountAt, expectStatus, goOn, scanAndApprove, stealCookies } from '../scene.ts';

const nothingRevoked: Weakness = {
  defence: 'a revocation of finished sign-ins',
  patch: () => {
    const undo = [
      replacing(SignInRevocation.prototype, 'revoke', () => async () => [])(),
      replacing(SignInRevocation.prototype, 'revokePending', () => async () => undefined)(),
    ];
    return () => {
      for (const one of undo) one();
    };
  },
};

const onlyOneEnded: Weakness = {
  defence: 'a revocation of all sessions that came out of a ticket',
  patch: () => {
    let hasEnded = false;
    return replacing(
      RemoteSignOut.prototype,
      'end',
      (end) =>
        async function (this: RemoteSignOut, ...given) {
          if (hasEnded) return undefined;
          hasEnded = true;
          return end.apply(this, given);
        },
    )();
  },
};

interface FinishedSignIn {
  readonly browser: BrowserVisitor;
  readonly phone: PhoneVisitor;
  readonly redirectTo: unknown;
}

/** Approves the attacker's browser as the victim. The browser then finishes. */
async function finishSignIn(site: Site): Promise<FinishedSignIn> {
  const { browser, phone, checkCode } = await scanAndApprove(site);
  const { redirectTo } = expectStatus(await browser.finish(checkCode), 200, 'finishing').json();
  return { browser, phone, redirectTo };
}

async function report(phone: PhoneVisitor): Promise<void> {
  const { csrf } = (await phone.look()).json();
  expectStatus(await phone.post(phone.at, { csrf: `${csrf}`, decision: 'report' }), 200, 'reporting');
}

async function signOutAll(site: Site, phone: PhoneVisitor): Promise<void> {
  const url = `${site.issuer}/qr/devices`;
  const { csrf } = (await phone.agent.get(url, { headers: { accept: 'application/json' } })).json();
  expectStatus(await phone.post(url, { csrf: `${csrf}`, end: 'all' }), 200, 'signing out all');
}

async function gain(site: Site, { agent }: BrowserVisitor): Promise<string | undefined> {
  const account = await accountAt(site, agent);
  return account && `the session of ${account}`;
}

export const attacks: readonly Attack[] = [
  {
    row: 28,
    name: 'a browser stays signed in after its approver has reported it',
    run: async (site) => {
      const { browser, phone, redirectTo } = await finishSignIn(site);
      await goOn(browser, redirectTo);
      await report(phone);
      return gain(site, browser);
    },
    without: nothingRevoked,
  },
  {
    row: 28,
    name: 'a browser delays its sign-in until its approver has reported it, and then resumes',
    run: async (site) => {
      const { browser, phone, redirectTo } = await finishSignIn(site);
      await report(phone);
      await goOn(browser, redirectTo);
      return gain(site, browser);
    },
    without: nothingRevoked,
  },
  {
    row: 28,
    name: 'a browser delays its sign-in until its approver has signed out all browsers, and then resumes',
    run: async (site) => {
      const { browser, phone, redirectTo } = await finishSignIn(site);
      await signOutAll(site, phone);
      await goOn(browser, redirectTo);
      return gain(site, browser);
    },
    without: nothingRevoked,
  },
  {
    row: 28,
    name: 'a browser begins two sessions with one sign-in, and keeps one after its approver has reported it',
    run: async (site) => {
      const { browser, phone, redirectTo } = await finishSignIn(site);
      // A browser that did not get the answer has these cookies, and may repeat the request.
      const second = await stealCookies(browser, () => true);
      await goOn(browser, redirectTo);
      await goOn(second, redirectTo);
      await report(phone);
      return (await gain(site, browser)) ?? (await gain(site, second));
    },
    without: onlyOneEnded,
  },
];
