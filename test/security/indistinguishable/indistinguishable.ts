/** What a stranger may ask for that is unknown to the server, foreign to the stranger, or expired. */
import type { Answer } from '../../support/agent.ts';
import { StillClock } from '../../support/clock.ts';
import { ID_LENGTH, idIn } from '../../support/codes.ts';
import { allowed, shortCodeOn, typeIn } from '../../support/typing.ts';
import { PhoneVisitor } from '../../support/visitors.ts';
import type { World, WorldOptions } from '../../support/world.ts';
import { copyCookies, phoneOf } from '../approver/people.ts';
import { siteOf } from '../attack.ts';
import { atTheCode } from '../csrf/targets.ts';

/** A server on which all of it can be asked for. Its clock stands: nothing else expires, however long the questions take. */
export function askable(more: WorldOptions = {}): WorldOptions {
  return { ...allowed, ...more, clock: new StillClock() };
}

export const KINDS = ['unknown', 'foreign', 'expired'] as const;
export type Kind = (typeof KINDS)[number];

/** An address of each kind, or a short code, for a stranger who asks for it. */
export interface Asked {
  readonly stranger: PhoneVisitor;
  readonly urls: Readonly<Record<Kind, string>>;
  readonly ask: (url: string) => Promise<Answer>;
}

export type Prepare = (world: World) => Promise<Asked>;

export const ASKED: Record<string, Prepare> = {
  'a ticket that is looked at': async (world) => {
    const { stranger, tickets } = await three(world);
    return { stranger, urls: tickets, ask: (url) => stranger.look(url) };
  },
  'a ticket that is decided': async (world) => {
    const { stranger, tickets, csrf } = await three(world);
    return {
      stranger,
      urls: tickets,
      ask: (url) => stranger.post(url, { csrf: `${csrf.get(url)}`, decision: 'deny' }),
    };
  },
  'a code that is scanned': async (world) => {
    const { stranger, codes, csrf } = await three(world);
    return { stranger, urls: codes, ask: (url) => stranger.post(url, { csrf: `${csrf.get(url)}` }) };
  },
  'a code that is opened, which the stranger has not seen before': async (world) => {
    const { codes } = await three(world);
    const stranger = await phoneOf(siteOf(world), 'bob');
    // None of them is on a screen any more.
    world.clock.forward(31);
    return { stranger, urls: codes, ask: (url) => stranger.look(url) };
  },
  'a short code that is typed': async (world) => {
    const site = siteOf(world);
    const [stranger, alice] = [await phoneOf(site, 'bob'), await phoneOf(site, 'alice')];
    const expired = await shortCodeOn(await atTheCode(site));
    world.clock.forward(121);
    const foreign = await shortCodeOn(await atTheCode(site));
    if ((await typeIn(alice, site, foreign)).status !== 200) throw new Error('alice cannot type it');
    const at = `${site.issuer}/qr/scan`;
    const csrf = `${(await stranger.look(at)).json().csrf}`;
    const urls = { unknown: 'QLMY-2568', foreign, expired };
    return { stranger, urls, ask: (shortCode) => stranger.post(at, { csrf, shortCode }) };
  },
};

interface Three {
  readonly stranger: PhoneVisitor;
  readonly codes: Record<Kind, string>;
  readonly tickets: Record<Kind, string>;
  /** The stranger's tokens, by the address that each is for: it has landed on all of them while it could. */
  readonly csrf: ReadonlyMap<string, string>;
}

/** What alice has scanned, what has expired before anybody scanned it, and what the server knows nothing of. */
async function three(world: World): Promise<Three> {
  const site = siteOf(world);
  const [stranger, alice] = [await phoneOf(site, 'bob'), await phoneOf(site, 'alice')];
  const show = async (): Promise<string> => (await atTheCode(site)).code();
  // The same session: a phone remembers that one code was fresh, and that shall be the one that is not fresh any more.
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
  if (!(await world.store.delete(`ticket:${idIn(unknown)}`))) throw new Error('tickets are kept elsewhere now');
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
