/**
 * Row 4 of the table in docs/security.md: ids have 128 bits from the system's generator, and the server alone makes
 * them.
 */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { idIn } from '../../support/codes.ts';
import type { BrowserVisitor } from '../../support/visitors.ts';
import { type Attack, inFront, oncePerSite, type Weakness } from '../attack.ts';
import { expectStatus, openQrPage } from '../scene.ts';

const RANDOM_BYTES = 16;
const MANY = 40;

/** Replaces the system's random generator. */
function generator(bytes: (size: number) => Buffer | undefined): () => () => void {
  return () => {
    const { randomBytes } = crypto;
    Object.assign(crypto, { randomBytes: (size: number) => bytes(size) ?? randomBytes(size) });
    syncBuiltinESMExports();
    return () => {
      Object.assign(crypto, { randomBytes });
      syncBuiltinESMExports();
    };
  };
}

let counter = 0;
const countsIds: Weakness = {
  defence: "the system's generator",
  patch: generator((size) => {
    const bytes = Buffer.alloc(size);
    counter += 1;
    bytes.writeUInt32BE(counter, size - 4);
    return bytes;
  }),
};

let requested: Buffer | undefined;
const acceptsRequestedIds: Weakness = {
  defence: 'ids that the server makes',
  patch: generator((size) => (size === RANDOM_BYTES ? requested : undefined)),
  options: inFront(async (ctx, next) => {
    const { id } = ctx.query;
    requested = typeof id === 'string' ? randomPart(id) : undefined;
    await next();
    requested = undefined;
  }),
};

let drawn: Buffer[] = [];
const repeatsIds: Weakness = {
  defence: 'unique ids',
  patch: generator((size) => {
    if (size !== RANDOM_BYTES) return undefined;
    if (drawn.length === 0) drawn = Array.from({ length: MANY / 2 }, (_, index) => Buffer.alloc(size, index));
    return drawn.pop();
  }),
};

/** Returns the random part of an id. The bytes before it follow from the interaction. */
function randomPart(id: string): Buffer {
  return Buffer.from(id, 'base64url').subarray(-RANDOM_BYTES);
}

async function renewedId(browser: BrowserVisitor): Promise<string> {
  expectStatus(await browser.post(`${browser.at}/qr/renew`, {}), 200, 'renewing');
  return idIn(await browser.code());
}

const manyIds = oncePerSite(async (site): Promise<Buffer[]> => {
  const browser = await openQrPage(site);
  const ids: Buffer[] = [];
  while (ids.length < MANY) ids.push(randomPart(await renewedId(browser)));
  return ids;
});

const numberIn = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`);

export const attacks: readonly Attack[] = [
  {
    row: 4,
    name: "predicts the id of the next browser's ticket from its own",
    run: async (site) => {
      const own = await openQrPage(site);
      const last = numberIn(randomPart(await renewedId(own)));
      const victim = numberIn(randomPart(idIn(await (await openQrPage(site)).code())));
      const ahead = victim - last;
      return ahead > 0n && ahead < 1_000n ? `the id is ${ahead} after the attacker's own` : undefined;
    },
    without: countsIds,
  },
  {
    row: 4,
    name: 'finds bits that are the same in all ids',
    run: async (site) => {
      const ids = await manyIds(site);
      const bits = Array.from({ length: RANDOM_BYTES * 8 }, (_, bit) =>
        ids.filter((id) => ((id[bit >> 3] ?? 0) >> (bit % 8)) & 1),
      );
      // By chance, this happens once in 2^32 runs.
      const stuck = bits.filter((ones) => ones.length === 0 || ones.length === MANY).length;
      return stuck === 0 ? undefined : `${stuck} bits are always the same`;
    },
    without: countsIds,
  },
  {
    row: 4,
    name: 'gets the same id twice',
    run: async (site) => {
      const ids = (await manyIds(site)).map((id) => id.toString('hex'));
      const twice = ids.find((id, index) => ids.indexOf(id) !== index);
      return twice && `two tickets have the id ${twice}`;
    },
    without: repeatsIds,
  },
  {
    row: 4,
    name: 'makes the server use an id that the browser has chosen',
    run: async (site) => {
      const browser = await openQrPage(site);
      const id = Buffer.alloc(18, 'an id of my own').toString('base64url');
      const fields = { id, ticket: id, ticketId: id, code: id };
      const query = `${new URLSearchParams(fields)}`;
      await browser.post(`${browser.at}/qr/renew?${query}`, fields);
      const got = randomPart(idIn(await browser.code()));
      return got.equals(randomPart(id)) ? `a ticket with the id ${id}` : undefined;
    },
    without: acceptsRequestedIds,
  },
];
