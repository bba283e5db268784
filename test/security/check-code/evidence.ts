/**
 * Row 29 of the table in docs/security.md: the evidence that made a check code unnecessary at Approve is required again
 * at finish.
 */
import { assessByDefault } from '../../../src/index.ts';
import { BrowserActs } from '../../../src/ticket/browser.ts';
import { assessByAddress } from '../../support/assess-by-address.ts';
import { TestBrowserKey } from '../../support/browser-key.ts';
import { BrowserVisitor } from '../../support/visitors.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { browserAt, followToRp, phoneOf, scanAndApprove, type TextFields } from '../meeting.ts';
import { giveMemory, makeKnownTo } from './familiar.ts';

const HOME = { 'x-forwarded-for': '203.0.113.7' };
const ELSEWHERE = { 'x-forwarded-for': '198.51.100.9' };

const notAskingAgain: Weakness = {
  defence: 'a second check of the evidence',
  patch: replacing(
    BrowserActs.prototype,
    'finish',
    (original) =>
      function (this: BrowserActs, identity, input, { evidence: _unasked, ...checks } = {}) {
        return original.call(this, identity, input, checks);
      },
  ),
};

/** Finishes the browser's sign-in from another machine, with the cookies of the browser that have these names. */
async function finishElsewhere(
  browser: BrowserVisitor,
  names: RegExp,
  headers: TextFields,
): Promise<string | undefined> {
  const thief = new BrowserVisitor(browser.site, fetch, headers);
  const cookies = await browser.agent.jar.getCookies(browser.at);
  for (const cookie of cookies.filter(({ key }) => names.test(key))) {
    await thief.agent.jar.setCookie(cookie.toString(), browser.at);
  }
  thief.at = browser.at;
  return (await thief.finish()).status === 200 ? 'a sign-in without digits' : undefined;
}

export const evidence: Attack[] = [
  {
    row: 29,
    name: 'finishes the sign-in of a known browser without the cookie by which the account recognizes it',
    on: { qrLogin: { assess: assessByDefault } },
    without: notAskingAgain,
    run: async (site) => {
      const before = await browserAt(site);
      await makeKnownTo(before, 'alice');
      // The same browser after its session has expired.
      const browser = new BrowserVisitor(site);
      await giveMemory(browser, before);
      await browser.start();
      await scanAndApprove(await phoneOf(site), browser);
      return finishElsewhere(browser, /^(?!_qr_memory)/, {});
    },
  },
  {
    row: 29,
    name: 'copies the cookie by which the account recognizes a browser, but not its key',
    on: { qrLogin: { assess: assessByDefault } },
    without: notAskingAgain,
    run: async (site) => {
      const victim = await browserAt(site);
      const key = await (await TestBrowserKey.make()).publicKey();
      const checkCode = await scanAndApprove(await phoneOf(site), victim, { remember: 'yes' });
      if ((await followToRp(victim, await victim.finish(checkCode, { key }))) === undefined)
        throw new Error('alice is not signed in');
      const attacker = new BrowserVisitor(site);
      await giveMemory(attacker, victim);
      await attacker.start();
      await scanAndApprove(await phoneOf(site), attacker);
      return followToRp(attacker, await attacker.finish());
    },
  },
  {
    row: 29,
    name: 'finishes, from another address, a sign-in that needed no check code because of its address',
    on: { proxy: true, qrLogin: { assess: assessByAddress } },
    without: notAskingAgain,
    run: async (site) => {
      const [browser, phone] = [await browserAt(site, HOME), await phoneOf(site, 'alice', HOME)];
      await scanAndApprove(phone, browser);
      return finishElsewhere(browser, /./, ELSEWHERE);
    },
  },
];
