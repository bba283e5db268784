/**
 * Rows 13, 18 and 30 of the table in docs/security.md: attackers who pretend to use a browser or an address that needs
 * no check code.
 */
import { Cookies } from '../../../src/http/request/cookies.ts';
import { assessByDefault } from '../../../src/index.ts';
import { IssuerBrowserList } from '../../../src/stores/issuer/issuer-browser-list.ts';
import { BrowserActs } from '../../../src/ticket/browser.ts';
import type { KnownBrowser } from '../../../src/ticket/browsers/known-browser.ts';
import { fingerprint } from '../../../src/ticket/secret-keys.ts';
import { assessByAddress } from '../../support/assess-by-address.ts';
import { BrowserVisitor, type Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, inFront, replacing } from '../attack.ts';
import { browserAt, followToRp, phoneOf, scanAndApprove, type TextFields } from '../meeting.ts';

const byDefault: WorldOptions = { qrLogin: { assess: assessByDefault } };
const byAddress: WorldOptions = { qrLogin: { assess: assessByAddress } };
const MEMORY = '_qr_memory';
const HOME = '203.0.113.7';
const ELSEWHERE = '198.51.100.9';

/** A server on which a browser that one account knows is known to every account. */
const knowsAnyAccount = replacing(
  IssuerBrowserList.prototype,
  'list',
  (original) =>
    async function (this: IssuerBrowserList<KnownBrowser>, accountId: string) {
      const lists = [accountId, 'a11ce', 'b0b'].map((account) => original.call(this, account));
      return (await Promise.all(lists)).flat();
    },
);

/** Signs the account in with the check code, so that the account trusts the browser from then on. */
export async function makeKnownTo(browser: BrowserVisitor, name: string): Promise<void> {
  const checkCode = await scanAndApprove(await phoneOf(browser.site, name), browser, { remember: 'yes' });
  if ((await followToRp(browser, await browser.finish(checkCode))) === undefined)
    throw new Error(`${name} is not signed in`);
}

/** Starts a sign-in in the attacker's browser. Alice approves by mistake, and does not tell the attacker the digits. */
async function signInByMistake(attacker: BrowserVisitor, headers: TextFields = {}): Promise<string | undefined> {
  const page = await attacker.start();
  if (page.status !== 200) throw new Error(`there is no QR page: ${page.status}`);
  await scanAndApprove(await phoneOf(attacker.site, 'alice', headers), attacker);
  return followToRp(attacker, await attacker.finish(undefined, { switchAccount: 'yes' }));
}

/** Returns the values of the browser's cookies by their names. */
async function cookiesOf(browser: BrowserVisitor): Promise<Map<string, string>> {
  const cookies = await browser.agent.jar.getCookies(browser.at);
  return new Map(cookies.map(({ key, value }) => [key, value]));
}

async function give(attacker: BrowserVisitor, name: string, value: string): Promise<void> {
  const { pathname } = new URL(`${attacker.site.issuer}/interaction`);
  await attacker.agent.jar.setCookie(`${name}=${value}; Path=${pathname}`, attacker.site.issuer);
}

/** Copies the cookie by which accounts recognize a browser, with its signature. */
export async function giveMemory(to: BrowserVisitor, from: BrowserVisitor): Promise<void> {
  for (const [name, value] of await cookiesOf(from)) if (name.startsWith(MEMORY)) await give(to, name, value);
}

function attackerOn(site: Site, headers: TextFields = {}): BrowserVisitor {
  return new BrowserVisitor(site, fetch, headers);
}

export const familiarity: Attack[] = [
  {
    row: 30,
    name: "signs the victim's browser in to the attacker's account from the victim's public address",
    on: { ...byDefault, proxy: true },
    without: { defence: 'the default assessment (one by address instead)', options: byAddress },
    run: async (site) => {
      const victim = await browserAt(site, { 'x-forwarded-for': HOME });
      await scanAndApprove(await phoneOf(site, 'bob', { 'x-forwarded-for': HOME }), victim);
      // The page finishes automatically once the phone has approved, unless a check code is needed.
      return followToRp(victim, await victim.finish());
    },
  },
  {
    row: 30,
    name: "signs the victim's browser in to the attacker's account if no check code is needed",
    on: { qrLogin: { assess: () => 'allow' } },
    without: {
      defence: 'the question before a browser changes to another account',
      patch: replacing(
        BrowserActs.prototype,
        'finish',
        (original) =>
          function (this: BrowserActs, identity, input, checks) {
            return original.call(this, identity, { ...input, switchAccount: true }, checks);
          },
      ),
    },
    run: async (site) => {
      const before = await browserAt(site);
      await makeKnownTo(before, 'alice');
      // Alice's browser after her session has expired.
      const victim = new BrowserVisitor(site);
      await giveMemory(victim, before);
      await victim.start();
      await scanAndApprove(await phoneOf(site, 'bob'), victim);
      return followToRp(victim, await victim.finish());
    },
  },
  {
    row: 13,
    name: "uses a browser that only the attacker's account knows",
    on: byDefault,
    without: { defence: 'a list of known browsers for each account', patch: knowsAnyAccount },
    run: async (site) => {
      const known = await browserAt(site);
      await makeKnownTo(known, 'bob');
      const attacker = attackerOn(site);
      await giveMemory(attacker, known);
      return signInByMistake(attacker);
    },
  },
  {
    row: 13,
    name: "copies the memory cookie of the victim's browser, with the signature of the attacker's cookie",
    on: byDefault,
    without: {
      defence: 'the signature of the memory cookie',
      patch: replacing(Cookies.prototype, 'memory', () => (ctx) => {
        const [version, secret] = ctx.cookies.get(MEMORY, { signed: false })?.split('.') ?? [];
        return { knownAs: fingerprint(`${version}.${secret}`) };
      }),
    },
    run: async (site) => {
      const [victim, own] = [await browserAt(site), await browserAt(site)];
      await makeKnownTo(victim, 'alice');
      await makeKnownTo(own, 'bob');
      const attacker = attackerOn(site);
      await give(attacker, MEMORY, (await cookiesOf(victim)).get(MEMORY) ?? '');
      await give(attacker, `${MEMORY}.sig`, (await cookiesOf(own)).get(`${MEMORY}.sig`) ?? '');
      return signInByMistake(attacker);
    },
  },
  {
    row: 18,
    name: "forges the victim's address in a header",
    on: byAddress,
    without: { defence: 'distrust of forwarded headers', options: { proxy: true } },
    run: (site) =>
      // A proxy that is not configured in the server adds the header to the victim's request. The server must not trust
      // the header because of that.
      signInByMistake(attackerOn(site, { 'x-forwarded-for': HOME }), { 'x-forwarded-for': HOME }),
  },
  {
    row: 18,
    name: "forges the victim's address in a header to which the proxy adds the real one",
    on: { ...byAddress, proxy: true },
    without: {
      defence: 'distrust of addresses before the entry that the proxy added',
      options: inFront(async (ctx, next) => {
        ctx.req.headers['x-forwarded-for'] = ctx.get('x-forwarded-for').split(',')[0];
        await next();
      }),
    },
    run: (site) =>
      signInByMistake(attackerOn(site, { 'x-forwarded-for': `${HOME}, ${ELSEWHERE}` }), { 'x-forwarded-for': HOME }),
  },
  {
    row: 18,
    name: 'has the same private address as the victim',
    on: { ...byAddress, proxy: true },
    without: {
      defence: 'distrust of private addresses',
      options: inFront(async (ctx, next) => {
        ctx.req.headers['x-forwarded-for'] = HOME;
        await next();
      }),
    },
    run: (site) =>
      signInByMistake(attackerOn(site, { 'x-forwarded-for': '10.0.0.1' }), { 'x-forwarded-for': '10.0.0.1' }),
  },
];
