/** Row 16: "I did not start this" ends an attempt, and another attempt of the attacker fails, too. */
import { PhoneActs } from '../../../src/ticket/phone.ts';
import { passwordOf } from '../../fixtures/people.ts';
import type { BrowserVisitor, PhoneVisitor, Site } from '../../support/visitors.ts';
import { type Attack, inFront, replacing, type Weakness } from '../attack.ts';
import { approved, browserAt, decided, phoneOf, scanned, signedInBy, type TextFields } from '../meeting.ts';
import { doubtsAboutAddresses } from '../weaknesses.ts';

/** A server that treats a report as a denial. */
export const plainNo: Weakness = {
  name: 'reports that do more than a denial',
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

async function reported(site: Site, headers: TextFields = {}): Promise<ReportedSignIn> {
  const [attacker, phone] = [await browserAt(site, headers), await phoneOf(site)];
  await reportedBy(phone, attacker);
  return { attacker, phone };
}

/** Scans the browser's code and reports it with "I did not start this". */
export async function reportedBy(phone: PhoneVisitor, attacker: BrowserVisitor): Promise<void> {
  await scanned(phone, attacker);
  const answer = await decided(phone, { decision: 'report' });
  if (answer.status !== 200) throw new Error(`the report is answered with ${answer.status}`);
}

/** Scans another code as alice and approves it by mistake. */
async function approvedByMistake(phone: PhoneVisitor, attacker: BrowserVisitor): Promise<string | undefined> {
  await scanned(phone, attacker);
  await decided(phone, { decision: 'approve' });
  return signedInBy(attacker, await attacker.finish());
}

/** Sends a password to this path with the interaction's cookie. Only a program does that, not a browser. */
async function passwordAt(attacker: BrowserVisitor, path: string): Promise<string | undefined> {
  const cookie = await attacker.agent.jar.getCookieString(attacker.at);
  const { issuer } = attacker.site;
  const answer = await attacker.agent.post(`${issuer}${path}`, {
    form: { name: 'bob', password: passwordOf('bob') },
    headers: { cookie, accept: 'text/html', origin: new URL(issuer).origin },
  });
  return signedInBy(attacker, answer);
}

export const reports: Attack[] = [
  {
    row: 16,
    name: 'shows a new code at a reported interaction',
    without: plainNo,
    run: async (site) => {
      const { attacker } = await reported(site);
      await attacker.post(`${attacker.at}/qr/renew`, {});
      await attacker.agent.get(attacker.at);
      const { qr } = (await attacker.ticket()) as { qr?: { url: string } };
      if (qr === undefined) return undefined;
      await approved(await phoneOf(site, 'bob'), attacker);
      return signedInBy(attacker, await attacker.finish());
    },
  },
  {
    row: 16,
    name: "signs in with a password on the deployment's own page of a reported interaction",
    without: plainNo,
    run: async (site) => {
      const { attacker } = await reported(site);
      return passwordAt(attacker, `${new URL(attacker.at).pathname}/password`);
    },
  },
  {
    row: 16,
    name: 'sends the cookie of a reported interaction to the URL of another one',
    without: plainNo,
    run: async (site) => {
      const { attacker } = await reported(site);
      return passwordAt(attacker, '/interaction/another/password');
    },
  },
  {
    row: 16,
    name: 'tries again as another browser after a report',
    without: plainNo,
    run: async (site) => {
      const { phone } = await reported(site);
      return approvedByMistake(phone, await browserAt(site, { 'user-agent': 'Mozilla/5.0 (another browser)' }));
    },
  },
  {
    row: 16,
    name: 'shows a new code after the scan, so that the report comes too late',
    without: { ...plainNo },
    run: async (site) => {
      const [attacker, phone] = [await browserAt(site), await phoneOf(site)];
      await scanned(phone, attacker);
      const { csrf } = (await phone.look()).json();
      await attacker.post(`${attacker.at}/qr/renew`, {});
      await phone.post(phone.at, { csrf: `${csrf}`, decision: 'report' });
      return approvedByMistake(phone, await browserAt(site));
    },
  },
  {
    row: 16,
    name: 'forges another address after a report',
    on: { proxy: true },
    without: doubtsAboutAddresses,
    run: async (site) => {
      const { phone } = await reported(site, { 'x-forwarded-for': '198.51.100.1, 203.0.113.7' });
      return approvedByMistake(phone, await browserAt(site, { 'x-forwarded-for': '198.51.100.2, 203.0.113.7' }));
    },
  },
  {
    row: 16,
    name: 'tries again from another address of its IPv6 network after a report',
    on: { proxy: true },
    without: {
      name: 'blocking the network',
      options: inFront(async (ctx, next) => {
        const [, host = ''] = /:(\w+)$/.exec(ctx.get('x-forwarded-for')) ?? [];
        ctx.req.headers['x-forwarded-for'] = `2001:db8:1:${host}::1`;
        await next();
      }),
    },
    run: async (site) => {
      const { phone } = await reported(site, { 'x-forwarded-for': '2001:db8:1:2::1' });
      return approvedByMistake(phone, await browserAt(site, { 'x-forwarded-for': '2001:db8:1:2::2' }));
    },
  },
];
