/** Row 17 of the table in docs/security.md: the limits that hold an attacker back must not lock the victim out. */
import { RateLimits } from '../../../src/http/request/rate-limits.ts';
import type { Answer } from '../../support/agent.ts';
import { UNKNOWN_CODE } from '../../support/codes.ts';
import { BrowserVisitor, PhoneVisitor, type Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, inFront, replacing, type Weakness } from '../attack.ts';
import { browserAt, phoneOf, scanAndApprove } from '../meeting.ts';
import {
  isLimited,
  keyInsteadOf,
  requestsByAct,
  smallLimits,
  smallLimitsBehindProxy,
  UNKNOWN_TICKET,
  useUpLimit,
} from './acts.ts';

const ATTEMPTS = 130;

/** Headers that a browser adds to a request from a page of another site. */
const FOREIGN = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' };

/** A server that gets no such headers, as from an old browser that does not send them. */
const unaware: Weakness = {
  defence: 'headers that mark the requests of other sites',
  options: inFront(async (ctx, next) => {
    for (const header of ['origin', 'sec-fetch-site', 'sec-fetch-mode', 'sec-fetch-dest'])
      delete ctx.req.headers[header];
    await next();
  }),
};

/**
 * Sends many requests from the victim's address, as an attacker's page in the victim's browser can without a CORS
 * preflight.
 */
async function sendFromEvilPage(site: Site, send: (visitor: PhoneVisitor) => Promise<Answer>): Promise<void> {
  const visitor = new PhoneVisitor(site);
  await Promise.all(Array.from({ length: ATTEMPTS }, () => send(visitor)));
}

/** A server that asks for the check code, with the default limit of wrong check codes. */
const checkCodes: WorldOptions = {
  qrLogin: { assess: () => 'check code', limits: { account: { scan: 1000, decide: 1000 } } },
};

export const lockouts: Attack[] = [
  {
    row: 17,
    name: "a page of another site uses up the finish limit of the victim's network",
    on: { qrLogin: { limits: {} } },
    without: unaware,
    run: async (site) => {
      const browser = await browserAt(site);
      await scanAndApprove(await phoneOf(site), browser);
      const url = `${browser.site.issuer}/interaction/any/qr/finish`;
      const headers = { ...FOREIGN, 'content-type': 'text/plain' };
      await sendFromEvilPage(site, ({ agent }) => agent.post(url, { headers, body: 'x' }));
      return lockoutIn(await browser.finish());
    },
  },
  {
    row: 17,
    name: "images on a page of another site use up the scan limit of the victim's network",
    on: { qrLogin: { limits: {} } },
    without: unaware,
    run: async (site) => {
      const [browser, phone] = [await browserAt(site), await phoneOf(site)];
      const { origin: _none, ...headers } = { ...FOREIGN, 'sec-fetch-dest': 'image' };
      await sendFromEvilPage(site, ({ agent }) => agent.get(`${site.issuer}/qr/${UNKNOWN_CODE}`, { headers }));
      return lockoutIn(await phone.scan(await browser.code()));
    },
  },
  {
    row: 18,
    name: "uses up the limit of the victim's address by forging it",
    on: smallLimitsBehindProxy,
    without: keyInsteadOf('counting by the address that the proxy has added', (ctx) => ctx.ip),
    run: async (site) => {
      const { scan } = requestsByAct(site);
      await useUpLimit(() => scan({ 'x-forwarded-for': '198.51.100.9, 203.0.113.66' }));
      return lockoutIn(await scan({ 'x-forwarded-for': '198.51.100.9' }));
    },
  },
  {
    row: 17,
    name: "uses up the limit of other accounts with the attacker's own account",
    on: { ...smallLimits, qrLogin: { limits: { account: { decide: 6 } } } },
    without: {
      defence: 'a separate count for each account',
      patch: replacing(
        RateLimits.prototype,
        'forAccount',
        (original) =>
          function (this: RateLimits, act) {
            return original.call(this, act, 'all accounts');
          },
      ),
    },
    run: async (site) => {
      const [attacker, victim] = [await phoneOf(site, 'bob'), await phoneOf(site, 'alice')];
      const url = `${site.issuer}/qr/tickets/${UNKNOWN_TICKET}`;
      await useUpLimit(() => attacker.look(url));
      return lockoutIn(await victim.look(url));
    },
  },
  {
    row: 13,
    name: "uses up all check codes of the victim's account with one sign-in that was approved by mistake",
    on: checkCodes,
    without: {
      defence: 'a limit above the tries of one ticket',
      options: { qrLogin: { ...checkCodes.qrLogin, limits: { account: { checkCode: 3 } } } },
    },
    run: async (site) => {
      const [attacker, phone] = [await browserAt(site), await phoneOf(site)];
      const checkCode = await scanAndApprove(phone, attacker);
      const wrong = checkCode === '000000' ? '000001' : '000000';
      await Promise.all(Array.from({ length: 12 }, () => attacker.finish('no digits')));
      await Promise.all(Array.from({ length: 50 }, () => attacker.finish(wrong)));

      const victim = new BrowserVisitor(site);
      await victim.start();
      return lockoutIn(await victim.finish(await scanAndApprove(phone, victim)));
    },
  },
];

function lockoutIn(answer: Answer): string | undefined {
  if (isLimited(answer)) return `the victim is told: ${answer.text}`;
  if (answer.status >= 500) throw new Error(`${answer.status} ${answer.text}`);
  return undefined;
}
