/**
 * Row 14 of the table in docs/security.md: the first account to scan owns the ticket; other accounts get the answer for
 * an unknown ticket.
 */
import type { Answer } from '../../support/agent.ts';
import { ID_LENGTH } from '../../support/codes.ts';
import { BrowserVisitor, type PhoneVisitor, type Site } from '../../support/visitors.ts';
import type { Attack, Weakness } from '../attack.ts';
import {
  accountAloneAtALook,
  accountAloneAtAnApproval,
  tellingAtADenial,
  tellingAtAFollow,
  tellingAtALook,
  tellingAtAnApproval,
  tellingAtAReport,
  tellingAtAScan,
} from './owner-weak.ts';
import { both, phoneOf } from './people.ts';

interface FoundTicket {
  readonly code: string;
  readonly at: string;
  readonly csrf: string;
}

/**
 * Alice's scanned ticket and a ticket that no longer exists, with the best CSRF token that a stranger can have for
 * each.
 */
interface TwoTickets {
  readonly stranger: PhoneVisitor;
  readonly foreign: FoundTicket;
  readonly unknown: FoundTicket;
}

const STATES = ['scanned', 'approved', 'denied'] as const;
const DECISIONS = ['approve', 'deny', 'report', 'unable', 'nonsense'];

export const ownership: Attack[] = [
  ...[
    { act: 'looks at', patch: tellingAtALook, differ: compareLooks },
    { act: 'follows', patch: tellingAtAFollow, differ: compareFollows },
    { act: 'scans', patch: tellingAtAScan, differ: compareScans },
    { act: 'approves', patch: () => both(tellingAtALook, tellingAtAnApproval), differ: compareDecisions },
    { act: 'denies', patch: tellingAtADenial, differ: compareDecisions },
    { act: 'reports', patch: tellingAtAReport, differ: compareDecisions },
  ].map(({ act, patch, differ }) => ({
    row: 14,
    name: `another account ${act} alice's ticket and learns that it exists`,
    without: { defence: 'the same answer for foreign and unknown', patch } satisfies Weakness,
    run: async (site: Site) => {
      const phones = { stranger: await phoneOf(site, 'bob'), alice: await phoneOf(site, 'alice') };
      for (const state of STATES) {
        const found = await differ(await twoTickets(site, phones, state));
        if (found !== undefined) return `${state}: ${found}`;
      }
      return undefined;
    },
  })),
  {
    row: 14,
    name: 'another phone of the same account approves a ticket that it has not scanned',
    without: {
      defence: 'the session in the check of the owner',
      patch: () => both(accountAloneAtALook, accountAloneAtAnApproval),
    },
    run: async (site) => {
      const browser = new BrowserVisitor(site);
      await browser.start();
      const code = await browser.code();
      const [first, second] = [await phoneOf(site, 'alice'), await phoneOf(site, 'alice')];
      const { csrf } = (await second.look(code)).json();
      await first.scan(code);
      await second.post(first.at, { csrf: `${csrf}`, decision: 'approve' });
      const { state } = await browser.ticket();
      return state === 'approved' ? state : undefined;
    },
  },
];

async function compareLooks({ stranger: { agent }, foreign, unknown }: TwoTickets): Promise<string | undefined> {
  for (const accept of ['application/json', 'text/html']) {
    for (const method of ['GET', 'HEAD']) {
      const sent = { method, headers: { accept } };
      const found = difference(await agent.send(foreign.at, sent), await agent.send(unknown.at, sent));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

async function compareFollows({ stranger: { agent }, foreign, unknown }: TwoTickets): Promise<string | undefined> {
  for (const accept of ['application/json', 'text/html']) {
    const sent = { headers: { accept } };
    const [one, other] = [
      await agent.get(`${foreign.at}?after=2`, sent),
      await agent.get(`${unknown.at}?after=2`, sent),
    ];
    const found = difference(one, other);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function compareScans({ stranger, foreign, unknown }: TwoTickets): Promise<string | undefined> {
  return (
    difference(
      await stranger.post(foreign.code, { csrf: foreign.csrf }),
      await stranger.post(unknown.code, { csrf: unknown.csrf }),
    ) ?? difference(await stranger.post(foreign.code, {}), await stranger.post(unknown.code, {}))
  );
}

async function compareDecisions({ stranger, foreign, unknown }: TwoTickets): Promise<string | undefined> {
  for (const decision of DECISIONS) {
    const found =
      difference(
        await stranger.post(foreign.at, { csrf: foreign.csrf, decision }),
        await stranger.post(unknown.at, { csrf: unknown.csrf, decision }),
      ) ?? difference(await stranger.submit(foreign.at, { decision }), await stranger.submit(unknown.at, { decision }));
    if (found !== undefined) return `${decision}: ${found}`;
  }
  return undefined;
}

/**
 * Returns both tickets. The stranger gets a CSRF token for each while it is waiting. Then alice scans one ticket, and
 * the other one is cancelled, so that it is unknown.
 */
async function twoTickets(
  site: Site,
  { stranger, alice }: { stranger: PhoneVisitor; alice: PhoneVisitor },
  state: (typeof STATES)[number],
): Promise<TwoTickets> {
  const [theirs, mine] = [new BrowserVisitor(site), new BrowserVisitor(site)];
  await Promise.all([theirs.start(), mine.start()]);
  const [code, abandoned] = [await theirs.code(), await mine.code()];
  const [here, there] = [(await stranger.look(code)).json(), (await stranger.look(abandoned)).json()];
  await alice.scan(code);
  if (state !== 'scanned') await alice.decide(state === 'approved' ? 'approve' : 'deny');
  if ((await theirs.ticket()).state !== state) throw new Error(`alice's ticket is not ${state}`);
  await mine.post(`${mine.at}/cancel`, {});
  const unknownAt = new URL(`tickets/${abandoned.slice(abandoned.lastIndexOf('/') + 1).slice(0, ID_LENGTH)}`, code)
    .href;
  return {
    stranger,
    foreign: { code, at: alice.at, csrf: `${here.csrf}` },
    unknown: { code: abandoned, at: unknownAt, csrf: `${there.csrf}` },
  };
}

function difference(one: Answer, other: Answer): string | undefined {
  const [first, second] = [serialize(one), serialize(other)];
  return first === second ? undefined : `${first} instead of ${second}`;
}

/** Returns the whole answer except for its Date header. */
function serialize({ status, headers, text }: Answer): string {
  return JSON.stringify([status, [...headers].filter(([name]) => name !== 'date'), text]);
}
