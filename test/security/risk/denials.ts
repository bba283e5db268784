/** Row 6: an attacker at the browser learns that somebody said no, and neither who nor why. */
import type { Site } from '../../support/visitors.ts';
import { type Attack, inFront } from '../attack.ts';
import { browserAt, decided, phoneOf, type Sent, scanned } from '../meeting.ts';

const RISKY = 'a phone that the deployment does not trust';

/** What the attacker's browser and the RP are told at the end, without what differs from one request to the next. */
async function told(site: Site, phoneHeaders: Sent, decision: string | undefined): Promise<string> {
  const [attacker, phone] = [await browserAt(site), await phoneOf(site, 'alice', phoneHeaders)];
  await scanned(phone, attacker);
  if (decision !== undefined) await decided(phone, { decision });
  const { expiresIn, ...ticket } = await attacker.ticket();
  if (ticket.state !== 'denied') throw new Error(`this is ${ticket.state}, not denied`);
  const finished = await attacker.finish();
  const isAtApp = (url: URL): boolean => url.href.startsWith(site.client.callback);
  const arrived = await attacker.agent.follow(new URL(`${finished.json().redirectTo}`), isAtApp);
  const { searchParams } = new URL(arrived.location);
  const error = [searchParams.get('error'), searchParams.get('error_description')];
  // Whether that takes one second or two is chance.
  return JSON.stringify({ ...ticket, minutesLeft: Math.ceil(Number(expiresIn) / 60), status: finished.status, error });
}

/** A server that is frank. */
function telling(because: string): NonNullable<Attack['without']['options']> {
  return inFront(async (ctx, next) => {
    await next();
    if (!ctx.path.endsWith('/qr') || typeof ctx.body !== 'object' || ctx.body === null) return;
    const body = ctx.body as Record<string, unknown>;
    if (body.state === 'denied' && turns++ % 2 === 1) ctx.body = { ...body, because };
  });
}
let turns = 0;

export const denials: Attack[] = [
  {
    row: 6,
    name: 'tells what the deployment refuses from what a person does',
    on: { qrLogin: { assess: ({ phone }) => (phone.userAgent === RISKY ? 'deny' : 'allow') } },
    without: { name: 'one answer for all refusals', options: telling('risk') },
    run: async (site) => {
      const [person, risk] = [await told(site, {}, 'deny'), await told(site, { 'user-agent': RISKY }, undefined)];
      return person === risk ? undefined : `${person} and ${risk}`;
    },
  },
  {
    row: 6,
    name: 'tells a report from a No, by what its browser is shown',
    without: { name: 'one answer for all refusals', options: telling('report') },
    run: async (site) => {
      const [person, report] = [await told(site, {}, 'deny'), await told(site, {}, 'report')];
      return person === report ? undefined : `${person} and ${report}`;
    },
  },
];
