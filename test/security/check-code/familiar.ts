/** Row 13: passing for a browser that the victim knows, which is spared the check code. */
import { Cookies } from '../../../src/http/request/cookies.ts';
import { assessByDefault } from '../../../src/index.ts';
import { Keys } from '../../../src/ticket/keys.ts';
import { parseMemory } from '../../../src/ticket/memory.ts';
import { BrowserVisitor, type Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, inFront, replacing } from '../attack.ts';
import { approved, browserAt, phoneOf, type Sent, signedInBy } from '../meeting.ts';
import { all } from '../weaknesses.ts';

const byDefault: WorldOptions = { qrLogin: { assess: assessByDefault } };
const MEMORY = '_qr_memory';
const HOME = '203.0.113.7';
const ELSEWHERE = '198.51.100.9';

/** A memory that knows whether anybody was here, not who. */
const knowsAnybody = all(
  replacing(
    Keys.prototype,
    'mac',
    (original) =>
      function (this: Keys, purpose, ...parts) {
        return original.call(this, purpose, ...(purpose === 'known browser' ? parts.slice(0, 1) : parts));
      },
  ),
  replacing(
    Keys.prototype,
    'candidates',
    (original) =>
      function (this: Keys, purpose, ...parts) {
        return original.call(this, purpose, ...(purpose === 'known browser' ? parts.slice(0, 1) : parts));
      },
  ),
);

/** Somebody signs in there, check code and all, and is remembered. */
async function becomesKnown(browser: BrowserVisitor, name: string): Promise<void> {
  const checkCode = await approved(await phoneOf(browser.site, name), browser);
  if ((await signedInBy(browser, await browser.finish(checkCode))) === undefined) throw new Error('nobody got in');
}

/** The attacker's browser asks anew, alice approves by mistake, and nobody tells the attacker any digits. */
async function approvedByMistake(attacker: BrowserVisitor, headers: Sent = {}): Promise<string | undefined> {
  const page = await attacker.start();
  if (page.status !== 200) throw new Error(`there is no QR page: ${page.status}`);
  await approved(await phoneOf(attacker.site, 'alice', headers), attacker);
  return signedInBy(attacker, await attacker.finish());
}

/** The cookies with these names, as header of a request. */
async function cookiesOf(browser: BrowserVisitor): Promise<Map<string, string>> {
  const cookies = await browser.agent.jar.getCookies(browser.at);
  return new Map(cookies.map(({ key, value }) => [key, value]));
}

async function give(attacker: BrowserVisitor, name: string, value: string): Promise<void> {
  await attacker.agent.jar.setCookie(`${name}=${value}; Path=/interaction`, attacker.site.issuer);
}

function attackerOn(site: Site, headers: Sent = {}): BrowserVisitor {
  return new BrowserVisitor(site, fetch, headers);
}

export const familiarity: Attack[] = [
  {
    row: 13,
    name: 'uses a browser that knows the attacker well',
    on: byDefault,
    without: { name: 'a memory of who it was', patch: knowsAnybody },
    run: async (site) => {
      const known = await browserAt(site);
      await becomesKnown(known, 'bob');
      const attacker = attackerOn(site);
      for (const [name, value] of await cookiesOf(known))
        if (name.startsWith(MEMORY)) await give(attacker, name, value);
      return approvedByMistake(attacker);
    },
  },
  {
    row: 13,
    name: "has read what the victim's browser remembers, and signs it with a signature of its own",
    on: byDefault,
    without: {
      name: 'a signed memory',
      patch: replacing(
        Cookies.prototype,
        'memory',
        () => (ctx) => parseMemory(ctx.cookies.get(MEMORY, { signed: false }) ?? ''),
      ),
    },
    run: async (site) => {
      const [victim, own] = [await browserAt(site), await browserAt(site)];
      await becomesKnown(victim, 'alice');
      await becomesKnown(own, 'bob');
      const attacker = attackerOn(site);
      await give(attacker, MEMORY, (await cookiesOf(victim)).get(MEMORY) ?? '');
      await give(attacker, `${MEMORY}.sig`, (await cookiesOf(own)).get(`${MEMORY}.sig`) ?? '');
      return approvedByMistake(attacker);
    },
  },
  {
    row: 18,
    name: "says that it comes from the victim's address",
    on: byDefault,
    without: { name: 'doubts about headers', options: { proxy: true } },
    run: (site) =>
      // The victim's own comes from a proxy that nobody has declared: it is no reason to believe in such headers.
      approvedByMistake(attackerOn(site, { 'x-forwarded-for': HOME }), { 'x-forwarded-for': HOME }),
  },
  {
    row: 18,
    name: "says that it comes from the victim's address, before the proxy adds where it really does",
    on: { ...byDefault, proxy: true },
    without: {
      name: 'doubts about what stands before the last proxy',
      options: inFront(async (ctx, next) => {
        ctx.req.headers['x-forwarded-for'] = ctx.get('x-forwarded-for').split(',')[0];
        await next();
      }),
    },
    run: (site) =>
      approvedByMistake(attackerOn(site, { 'x-forwarded-for': `${HOME}, ${ELSEWHERE}` }), { 'x-forwarded-for': HOME }),
  },
  {
    row: 18,
    name: 'is in the same private network as the proxy',
    on: { ...byDefault, proxy: true },
    without: {
      name: 'doubts about private addresses',
      options: inFront(async (ctx, next) => {
        ctx.req.headers['x-forwarded-for'] = HOME;
        await next();
      }),
    },
    run: (site) =>
      approvedByMistake(attackerOn(site, { 'x-forwarded-for': '10.0.0.1' }), { 'x-forwarded-for': '10.0.0.1' }),
  },
];
