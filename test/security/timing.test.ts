/** Unknown, foreign and expired are not told apart: not by the answer, and not by how long it takes. */
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { Middleware } from 'koa';
import type { Answer } from '../support/agent.ts';
import { ID_LENGTH, idIn } from '../support/codes.ts';
import { allowed, shortCodeOn, typeIn } from '../support/typing.ts';
import { PhoneVisitor } from '../support/visitors.ts';
import { World, type WorldOptions } from '../support/world.ts';
import { copyCookies, phoneOf } from './approver-people.ts';
import { inFront, siteOf } from './attack.ts';
import { atTheCode } from './csrf-targets.ts';

const ROUNDS = 150;
/** The first ones are slower, as nothing is compiled and cached yet. */
const WARM_UP = 20;
/** What a server takes longer for one kind that gives it away, in milliseconds. */
const DELAY = 3;
/** Half of that is seen. What noise does, it does not do twice: a difference counts that is there a second time. */
const SEEN = DELAY / 2;
const TRIES = 2;

const KINDS = ['unknown', 'foreign', 'expired'] as const;
type Kind = (typeof KINDS)[number];

/** An address of each kind, or a short code, for a stranger who asks for it. */
interface Asked {
  readonly stranger: PhoneVisitor;
  readonly urls: Readonly<Record<Kind, string>>;
  readonly ask: (url: string) => Promise<Answer>;
}

type Prepare = (world: World) => Promise<Asked>;

const ASKED: Record<string, Prepare> = {
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

describe('codes and tickets that are unknown, foreign or expired', () => {
  for (const [name, prepare] of Object.entries(ASKED)) {
    it(`get the same answer: ${name}`, () =>
      World.during(allowed, async (world) => {
        const { urls, ask } = await prepare(world);
        const unknown = whole(await ask(urls.unknown));
        for (const kind of KINDS) expect(whole(await ask(urls[kind])), kind).to.equal(unknown);
      }));

    it(`take the same time: ${name}`, async () => {
      const { foreign, expired } = await slower(allowed, prepare);
      expect(foreign, 'foreign').to.be.within(-SEEN, SEEN);
      expect(expired, 'expired').to.be.within(-SEEN, SEEN);
    });
  }

  for (const kind of ['foreign', 'expired'] as const) {
    it(`are told apart by a clock where ${kind} takes ${DELAY} ms longer`, async () => {
      const slow = new Set<string>();
      const prepare: Prepare = async (world) => {
        const asked = await ASKED['a ticket that is looked at']?.(world);
        if (asked === undefined) throw new Error('there is nothing to ask for');
        slow.add(new URL(asked.urls[kind]).pathname);
        return asked;
      };
      const delay: Middleware = async (ctx, next) => {
        if (slow.has(ctx.path)) await pause(DELAY);
        await next();
      };
      const found = await slower(inFront(delay), prepare);
      expect(found[kind]).to.be.above(SEEN);
      expect(found[kind === 'foreign' ? 'expired' : 'foreign']).to.be.within(-SEEN, SEEN);
    });
  }
});

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

/** @returns by how many milliseconds each kind is slower than unknown, as far as that is no noise */
async function slower(options: WorldOptions, prepare: Prepare): Promise<Record<'foreign' | 'expired', number>> {
  const least = { foreign: Number.POSITIVE_INFINITY, expired: Number.POSITIVE_INFINITY };
  await World.during(options, async (world) => {
    const asked = await prepare(world);
    for (let tries = 0; tries < TRIES; tries++) {
      const { unknown, ...others } = await measured(asked);
      for (const kind of ['foreign', 'expired'] as const) {
        const difference = others[kind] - unknown;
        if (Math.abs(difference) < Math.abs(least[kind])) least[kind] = difference;
      }
      if (Math.max(...Object.values(least).map(Math.abs)) < SEEN) break;
    }
  });
  return least;
}

/** @returns the lower quartile of each kind, in milliseconds: what else the machine does only ever makes an answer later */
async function measured({ urls, ask }: Asked): Promise<Record<Kind, number>> {
  const took: Record<Kind, number[]> = { unknown: [], foreign: [], expired: [] };
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    // In another order each time: who is first may pay for what others left behind.
    for (const kind of shuffled(KINDS)) {
      const begun = performance.now();
      await ask(urls[kind]);
      if (round >= 0) took[kind].push(performance.now() - begun);
    }
  }
  return { unknown: quartile(took.unknown), foreign: quartile(took.foreign), expired: quartile(took.expired) };
}

function shuffled<T>(items: readonly T[]): T[] {
  const left = [...items];
  return items.flatMap(() => left.splice(randomInt(left.length), 1));
}

function quartile(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 4)] ?? Number.NaN;
}

/** All of an answer but the time of the day. */
function whole({ status, headers, text }: Answer): string {
  return JSON.stringify([status, [...headers].filter(([name]) => name !== 'date'), text]);
}
