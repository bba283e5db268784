/**
 * Row 16 of the table in docs/security.md: "I did not start this" ends an attempt, and another attempt of the attacker
 * fails, too.
 */
import { PhoneActs } from '../../../src/ticket/phone.ts';
import { passwordOf } from '../../fixtures/people.ts';
import type { BrowserVisitor, PhoneVisitor, Site } from '../../support/visitors.ts';
import { type Attack, inFront, replacing, type Weakness } from '../attack.ts';
import { browserAt, followToRp, phoneOf, scanAndApprove, scanCode, sendDecision, type TextFields } from '../meeting.ts';
import { trustsForgedAddresses } from '../weaknesses.ts';

/** A server that treats a report as a denial. */
export const reportAsDenial: Weakness = {
  defence: 'reports that do more than a denial',
  patch: replacing(
    PhoneActs.prototype,
    'report',
    () =>
      async function (this: PhoneActs, id, approver, seen) {
        return this.deny(id, approver, seen);
      },
  ),
};

interface ReportedSignIn {
  readonly attacker: BrowserVisitor;
  readonly phone: PhoneVisitor;
}

async function startReported(site: Site, headers: TextFields = {}): Promise<ReportedSignIn> {
  const [attacker, phone] = [await browserAt(site, headers), await phoneOf(site)];
  await reportCode(phone, attacker);
  return { attacker, phone };
}

/** Scans the browser's code and reports it with "I did not start this". */
export async function reportCode(phone: PhoneVisitor, attacker: BrowserVisitor): Promise<void> {
  await scanCode(phone, attacker);
  const answer = await sendDecision(phone, { decision: 'report' });
  if (answer.status !== 200) throw new Error(`the report is answered with ${answer.status}`);
}

/** Scans another code as alice and approves it by mistake. */
async function approveByMistake(phone: PhoneVisitor, attacker: BrowserVisitor): Promise<string | undefined> {
  await scanCode(phone, attacker);
  await sendDecision(phone, { decision: 'approve' });
  return followToRp(attacker, await attacker.finish());
}

/** Sends a password to this path with the interaction's cookie. Only a program does that, not a browser. */
async function sendPassword(attacker: BrowserVisitor, path: string): Promise<string | undefined> {
  const cookie = await attacker.agent.jar.getCookieString(attacker.at);
  const { issuer } = attacker.site;
  const answer = await attacker.agent.post(`${issuer}${path}`, {
    form: { name: 'bob', password: passwordOf('bob') },
    headers: { cookie, accept: 'text/html', origin: new URL(issuer).origin },
  });
  return followToRp(attacker, answer);
}

export const reports: Attack[] = [
  {
    row: 16,
    name: 'shows a new code at a reported interaction',
    without: reportAsDenial,
    run: async (site) => {
      const { attacker } = await startReported(site);
      await attacker.post(`${attacker.at}/qr/renew`, {});
      await attacker.agent.get(attacker.at);
      const { qr } = (await attacker.ticket()) as { qr?: { url: string } };
      if (qr === undefined) return undefined;
      await scanAndApprove(await phoneOf(site, 'bob'), attacker);
      return followToRp(attacker, await attacker.finish());
    },
  },
  {
    row: 16,
    name: "signs in with a password on the deployment's own page of a reported interaction",
    without: reportAsDenial,
    run: async (site) => {
      const { attacker } = await startReported(site);
      return sendPassword(attacker, `${new URL(attacker.at).pathname}/password`);
    },
  },
  {
    row: 16,
    name: 'sends the cookie of a reported interaction to the URL of another one',
    without: reportAsDenial,
    run: async (site) => {
      const { attacker } = await startReported(site);
      return sendPassword(attacker, '/interaction/another/password');
    },
  },
  {
    row: 16,
    name: 'tries again as another browser after a report',
    without: reportAsDenial,
    run: async (site) => {
      const { phone } = await startReported(site);
      return approveByMistake(phone, await browserAt(site, { 'user-agent': 'Mozilla/5.0 (another browser)' }));
    },
  },
  {
    row: 16,
    name: 'shows a new code after the scan, so that the report comes too late',
    without: { ...reportAsDenial },
    run: async (site) => {
      const [attacker, phone] = [await browserAt(site), await phoneOf(site)];
      await scanCode(phone, attacker);
      const { csrf } = (await phone.look()).json();
      await attacker.post(`${attacker.at}/qr/renew`, {});
      await phone.post(phone.at, { csrf: `${csrf}`, decision: 'report' });
      return approveByMistake(phone, await browserAt(site));
    },
  },
  {
    row: 16,
    name: 'forges another address after a report',
    on: { proxy: true },
    without: trustsForgedAddresses,
    run: async (site) => {
      const { phone } = await startReported(site, { 'x-forwarded-for': '198.51.100.1, 203.0.113.7' });
      return approveByMistake(phone, await browserAt(site, { 'x-forwarded-for': '198.51.100.2, 203.0.113.7' }));
    },
  },
  {
    row: 16,
    name: 'tries again from another address of its IPv6 network after a report',
    on: { proxy: true },
    without: {
      defence: 'blocking the network',
      options: inFront(async (ctx, next) => {
        const [, host = ''] = /:(\w+)$/.exec(ctx.get('x-forwarded-for')) ?? [];
        ctx.req.headers['x-forwarded-for'] = `2001:db8:1:${host}::1`;
        await next();
      }),
    },
    run: async (site) => {
      const { phone } = await startReported(site, { 'x-forwarded-for': '2001:db8:1:2::1' });
      return approveByMistake(phone, await browserAt(site, { 'x-forwarded-for': '2001:db8:1:2::2' }));
    },
  },
];
