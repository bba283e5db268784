/** Row 17 on a real Redis: nodes count together; and where it is gone, each of them for itself, at once. */
import { expect } from 'chai';
import { LocalRateLimit } from '../../src/stores/rate-limit.ts';
import { Nodes } from '../support/nodes.ts';
import { RedisServer } from '../support/redis.ts';
import { RedisWorld } from '../support/redis-world.ts';
import { until } from '../support/until.ts';
import { PhoneVisitor } from '../support/visitors.ts';
import type { World } from '../support/world.ts';

const TIMES = 10;
const limits = { address: { finish: TIMES, scan: TIMES } };
/** What the limiter may take, and what two busy processors may. */
const LONGEST = 250 + 250;

interface Taken {
  readonly status: number;
  readonly milliseconds: number;
}

/** Counts, and is refused right after that: no store is asked. */
async function take(issuer: string, network: typeof fetch = fetch, address?: string): Promise<Taken> {
  const began = performance.now();
  const answer = await network(`${issuer}/interaction/any/qr/finish`, {
    method: 'POST',
    body: 'no form',
    headers: { 'content-type': 'text/plain', ...(address !== undefined && { 'x-forwarded-for': address }) },
  });
  await answer.text();
  return { status: answer.status, milliseconds: performance.now() - began };
}

function slowest(taken: readonly Taken[]): number {
  return Math.max(...taken.map(({ milliseconds }) => milliseconds));
}

function statuses(taken: readonly Taken[]): number[] {
  return [...new Set(taken.map(({ status }) => status))];
}

async function inTurn(times: number, one: (turn: number) => Promise<Taken>): Promise<Taken[]> {
  const taken: Taken[] = [];
  for (let turn = 0; turn < times; turn++) taken.push(await one(turn));
  return taken;
}

describe('limits of two nodes on one Redis', () => {
  let redis: RedisServer;
  let nodes: Nodes;

  before(async () => {
    redis = await RedisServer.start();
    nodes = await Nodes.start({ redis: { url: redis.url }, nodes: [{}, {}], qrLogin: { limits } });
  });

  after(async () => {
    await nodes.stop();
    await redis.stop();
  });

  it('are counted together, and a node that has counted nothing yet knows of them', async () => {
    const address = '203.0.113.1';
    const [first, second] = [nodes.networkTo(0), nodes.networkTo(1)];
    const taken = await inTurn(TIMES, (turn) => take(nodes.issuer, turn % 2 === 0 ? first : second, address));
    expect(statuses(taken)).to.deep.equal([415]);
    expect((await take(nodes.issuer, first, address)).status).to.equal(429);
    expect((await take(nodes.issuer, second, address)).status).to.equal(429);
    expect((await take(nodes.issuer, second, '203.0.113.2')).status).to.equal(415);
  });

  it('are not exceeded by asking all at once', async () => {
    const network = nodes.roundRobin();
    const taken = await Promise.all(Array.from({ length: 50 }, () => take(nodes.issuer, network, '203.0.113.3')));
    expect(taken.filter(({ status }) => status !== 429)).to.have.length(TIMES);
  });

  it('leave nothing in Redis that stays', async () => {
    const keys = (await redis.command('KEYS', '*limit:*')) as string[];
    expect(keys).not.to.be.empty;
    for (const key of keys) expect(Number(await redis.command('PTTL', key))).to.be.within(1, 60_000);
  });

  it('say so to accounts, too, whichever node they ask', async () => {
    const phone = new PhoneVisitor(nodes.site, nodes.roundRobin());
    await phone.signInAt(`${nodes.issuer}/account`);
    const url = `${nodes.issuer}/qr/tickets/${'A'.repeat(24)}`;
    const answers = await Promise.all(Array.from({ length: 45 }, () => phone.look(url)));
    expect(answers.filter(({ status }) => status === 404)).to.have.length(40);
  });
});

describe('limits where Redis is gone', () => {
  for (const [how, lose] of [
    ['is stopped', ({ redis }: RedisWorld): unknown => redis.pause()],
    ['is killed', ({ redis }: RedisWorld): unknown => redis.kill()],
  ] as const) {
    it(`hold all the same, in memory, and hold nobody up, when it ${how}`, async () => {
      await RedisWorld.during({ qrLogin: { limits } }, async (there) => {
        const { world } = there;
        expect((await take(world.issuer)).status).to.equal(415);
        await lose(there);
        const taken = await inTurn(TIMES, () => take(world.issuer));
        expect(statuses(taken)).to.deep.equal([415]);
        expect((await take(world.issuer)).status).to.equal(429);
        expect(slowest(taken)).to.be.lessThan(LONGEST);
        await isQuickAtOnce(world);
      });
    });
  }

  it('still hold whoever was over them before', async () => {
    await RedisWorld.during({ qrLogin: { limits } }, async ({ world, redis }) => {
      await inTurn(TIMES + 1, () => take(world.issuer));
      redis.pause();
      const { status, milliseconds } = await take(world.issuer);
      expect(status).to.equal(429);
      expect(milliseconds).to.be.lessThan(200);
    });
  });

  it('go back to being counted together when it is there again', async () => {
    await RedisWorld.during({ qrLogin: { limits } }, async (there) => {
      const { world, redis } = there;
      redis.pause();
      await inTurn(3, () => take(world.issuer));
      await there.resume();
      await inTurn(2, () => take(world.issuer));
      expect(await redis.command('KEYS', '*limit:*')).not.to.be.empty;
    });
  });

  /** Many at once wait no longer than one. */
  async function isQuickAtOnce(world: World): Promise<void> {
    const many = await Promise.all(Array.from({ length: 50 }, () => take(world.issuer)));
    expect(slowest(many)).to.be.lessThan(2 * LONGEST);
  }
});

describe('the memory of a limiter', () => {
  it('forgets those who have stopped, however many they were, once somebody comes', async () => {
    const limit = new LocalRateLimit({ times: TIMES, within: 0.5 });
    for (let index = 0; index < 20_000; index++) limit.take(`${index}`);
    expect(limit.size).to.equal(20_000);
    await until(() => {
      limit.take('somebody');
      return limit.size === 1;
    });
  });
});
