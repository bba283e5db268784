/**
 * Rows 3 and 33 of the table in docs/security.md: a step that may be retried after a failure cannot be repeated once it
 * has succeeded, and only the browser or app that took it may retry it.
 */
import { setTimeout } from 'node:timers/promises';
import { ResumeAttempt } from '../../../src/oidc/resume/resume-attempt.ts';
import { Exchange } from '../../../src/stores/adapter/exchange.ts';
import { BrowserVisitor, type Site } from '../../support/visitors.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { accountAt, expectStatus, goOn, scanAndApprove, stealCookies } from '../scene.ts';
import { interactionFromTheUrl } from '../weaknesses.ts';

const noEnd: Weakness = {
  defence: 'an end of the interaction',
  patch: replacing(ResumeAttempt.prototype, 'holdEnd', () => () => undefined),
};

const noConsumption: Weakness = {
  defence: 'the consumption of authorization codes',
  patch: replacing(Exchange.prototype, 'finish', () => async () => true),
};

interface Resumable {
  readonly browser: BrowserVisitor;
  readonly redirectTo: unknown;
}

/** Finishes the sign-in of the victim's browser. @returns the browser, and the address that resumes the sign-in */
async function finishSignIn(site: Site): Promise<Resumable> {
  const { browser, checkCode } = await scanAndApprove(site);
  const { redirectTo } = expectStatus(await browser.finish(checkCode), 200, 'finishing').json();
  return { browser, redirectTo };
}

async function gain(site: Site, { agent }: BrowserVisitor): Promise<string | undefined> {
  const account = await accountAt(site, agent);
  return account && `the session of ${account}`;
}

/** Runs an act after this time. Moves the clock if the site has one to move; otherwise the function really waits. */
async function runLater(site: Site, milliseconds: number, act: () => Promise<unknown>): Promise<void> {
  if (site.later !== undefined) return site.later(milliseconds, act);
  await setTimeout(milliseconds);
  await act();
}

export const attacks: readonly Attack[] = [
  {
    row: 3,
    name: 'another browser opens the URL that has just resumed a sign-in',
    run: async (site) => {
      const { browser, redirectTo } = await finishSignIn(site);
      await goOn(browser, redirectTo);
      const attacker = new BrowserVisitor(site);
      await goOn(attacker, redirectTo);
      return gain(site, attacker);
    },
    without: { defence: 'the cookies of the interaction', options: interactionFromTheUrl },
  },
  {
    row: 3,
    name: 'a thief of all cookies resumes a sign-in again, ten seconds after it has succeeded',
    run: async (site) => {
      const { browser, redirectTo } = await finishSignIn(site);
      const attacker = await stealCookies(browser, () => true);
      await goOn(browser, redirectTo);
      await runLater(site, 10_000, () => goOn(attacker, redirectTo));
      return gain(site, attacker);
    },
    without: noEnd,
  },
  {
    row: 33,
    name: 'an authorization code is redeemed again after its app has redeemed it',
    run: async (site) => {
      const { browser, redirectTo } = await finishSignIn(site);
      const consent = await goOn(browser, redirectTo);
      const granted = await browser.post(`${consent.url}/consent`, {});
      const arrived = await goOn(browser, granted.json().redirectTo);
      await browser.exchange(arrived.location);
      return browser.exchange(arrived.location).then(
        ({ access_token: token }) => `the access token ${token}`,
        () => undefined,
      );
    },
    without: noConsumption,
  },
];
