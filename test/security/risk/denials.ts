/**
 * Row 6 of the table in docs/security.md: an attacker at the browser learns that the sign-in was denied, but neither
 * the account nor the reason.
 */
import type { Site } from '../../support/visitors.ts';
import { type Attack, inFront } from '../attack.ts';
import { browserAt, phoneOf, scanCode, sendDecision, type TextFields } from '../meeting.ts';

const RISKY = 'a phone that the deployment does not trust';

/**
 * Returns the data that the attacker's browser and the RP get at the end, without parts that differ between requests.
 */
async function denialOf(site: Site, phoneHeaders: TextFields, decision: string | undefined): Promise<string> {
  const [attacker, phone] = [await browserAt(site), await phoneOf(site, 'alice', phoneHeaders)];
  await scanCode(phone, attacker);
  if (decision !== undefined) await sendDecision(phone, { decision });
  const { expiresIn, ...ticket } = await attacker.ticket();
  if (ticket.state !== 'denied') throw new Error(`the ticket is ${ticket.state}, not denied`);
  const finished = await attacker.finish();
  const isAtApp = (url: URL): boolean => url.href.startsWith(site.client.callback);
  const arrived = await attacker.agent.follow(new URL(`${finished.json().redirectTo}`), isAtApp);
  const { searchParams } = new URL(arrived.location);
  const error = [searchParams.get('error'), searchParams.get('error_description')];
  // Compare minutes, because the seconds differ by chance.
  return JSON.stringify({ ...ticket, minutesLeft: Math.ceil(Number(expiresIn) / 60), status: finished.status, error });
}

/** A server that reveals the reason in every second answer. */
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
    name: 'tells a refusal by the deployment from a denial by the user',
    on: { qrLogin: { assess: ({ phone }) => (phone.userAgent === RISKY ? 'deny' : 'allow') } },
    without: { defence: 'one answer for all refusals', options: telling('risk') },
    run: async (site) => {
      const [person, risk] = [
        await denialOf(site, {}, 'deny'),
        await denialOf(site, { 'user-agent': RISKY }, undefined),
      ];
      return person === risk ? undefined : `${person} and ${risk}`;
    },
  },
  {
    row: 6,
    name: 'tells a report from a denial',
    without: { defence: 'one answer for all refusals', options: telling('report') },
    run: async (site) => {
      const [person, report] = [await denialOf(site, {}, 'deny'), await denialOf(site, {}, 'report')];
      return person === report ? undefined : `${person} and ${report}`;
    },
  },
];
