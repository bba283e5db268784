/** Requests of a stranger for a ticket that is unknown to the server, belongs to another account, or has expired. */
import type { Answer } from '../../support/agent.ts';
import { StillClock } from '../../support/clock.ts';
import { ID_LENGTH, idIn } from '../../support/codes.ts';
import { shortCodeOn, shortCodesAllowed, typeIn } from '../../support/typing.ts';
import { PhoneVisitor } from '../../support/visitors.ts';
import type { World, WorldOptions } from '../../support/world.ts';
import { copyCookies, phoneOf } from '../approver/people.ts';
import { siteOf } from '../attack.ts';
import { atTheCode } from '../csrf/targets.ts';

/** Options of a server for these requests. Its clock stands still, so that no ticket expires meanwhile. */
export function serverForLookups(more: WorldOptions = {}): WorldOptions {
  return { ...shortCodesAllowed, ...more, clock: new StillClock() };
}

export const KINDS = ['unknown', 'foreign', 'expired'] as const;
export type Kind = (typeof KINDS)[number];

/** A URL or short code of each kind, and the request of a stranger for it. */
export interface Lookup {
  readonly stranger: PhoneVisitor;
  readonly targets: Readonly<Record<Kind, string>>;
  readonly send: (url: string) => Promise<Answer>;
}

export type PrepareLookup = (world: World) => Promise<Lookup>;

export const LOOKUPS: Record<string, PrepareLookup> = {
  'to look at a ticket': async (world) => {
    const { stranger, tickets } = await makeThreeTickets(world);
    return { stranger, targets: tickets, send: (url) => stranger.look(url) };
  },
  'to decide on a ticket': async (world) => {
    const { stranger, tickets, csrf } = await makeThreeTickets(world);
    return {
      stranger,
      targets: tickets,
      send: (url) => stranger.post(url, { csrf: `${csrf.get(url)}`, decision: 'deny' }),
    };
  },
  'to scan a code': async (world) => {
    const { stranger, codes, csrf } = await makeThreeTickets(world);
    return { stranger, targets: codes, send: (url) => stranger.post(url, { csrf: `${csrf.get(url)}` }) };
  },
  'to open a code for the first time': async (world) => {
    const { codes } = await makeThreeTickets(world);
    const stranger = await phoneOf(siteOf(world), 'bob');
    // None of the codes is fresh any more.
    world.clock.forward(31);
    return { stranger, targets: codes, send: (url) => stranger.look(url) };
  },
  'to type a short code': async (world) => {
    const site = siteOf(world);
    const [stranger, alice] = [await phoneOf(site, 'bob'), await phoneOf(site, 'alice')];
    const expired = await shortCodeOn(await atTheCode(site));
    world.clock.forward(121);
    const foreign = await shortCodeOn(await atTheCode(site));
    if ((await typeIn(alice, site, foreign)).status !== 200) throw new Error('alice cannot type the short code');
    const at = `${site.issuer}/qr/scan`;
    const csrf = `${(await stranger.look(at)).json().csrf}`;
    const targets = { unknown: 'QLMY-2568', foreign, expired };
    return { stranger, targets, send: (shortCode) => stranger.post(at, { csrf, shortCode }) };
  },
};

interface Three {
  readonly stranger: PhoneVisitor;
  readonly codes: Record<Kind, string>;
  readonly tickets: Record<Kind, string>;
  /** The stranger's CSRF tokens by URL. The stranger has opened all codes while they were fresh. */
  readonly csrf: ReadonlyMap<string, string>;
}

/** Makes three tickets: alice has scanned one, another expired before a scan, and the server has lost the third. */
async function makeThreeTickets(world: World): Promise<Three> {
  const site = siteOf(world);
  const [stranger, alice] = [await phoneOf(site, 'bob'), await phoneOf(site, 'alice')];
  const show = async (): Promise<string> => (await atTheCode(site)).code();
  // A phone keeps the note of the last fresh code alone, and the stranger's phone must keep that of the expired one. So a
  // second phone with the same session opens the other two, which stay on the screen.
  const beside = new PhoneVisitor(site);
  await copyCookies(stranger.agent, beside.agent, site.issuer);
  const landed = async (phone: PhoneVisitor, code: string): Promise<string> =>
    `${(await phone.look(code)).json().csrf}`;

  const expired = await show();
  const tokens = { expired: await landed(stranger, expired), unknown: '', foreign: '' };
  world.clock.forward(121);
  const [unknown, foreign] = [await show(), await show()];
  tokens.unknown = await landed(beside, unknown);
  tokens.foreign = await landed(beside, foreign);
  if (!(await world.store.delete(`ticket:${idIn(unknown)}`)))
    throw new Error('the ticket has another key in the store');
  if ((await alice.scan(foreign)).status !== 200) throw new Error('alice cannot scan');
  const at = (code: string): string => alice.at.slice(0, -ID_LENGTH) + idIn(code);
  const codes = { unknown, foreign, expired };
  const tickets = { unknown: at(unknown), foreign: at(foreign), expired: at(expired) };
  const csrf = new Map(
    KINDS.flatMap((kind) => {
      const its = tokens[kind];
      return [
        [codes[kind], its],
        [tickets[kind], its],
      ] as const;
    }),
  );
  return { stranger, codes, tickets, csrf };
}
