/**
 * Row 17 of the table in docs/security.md, on a real Redis: the nodes share their counts. If Redis is gone, each node
 * immediately counts by itself.
 */
import { mock } from 'node:test';
import { expect } from 'chai';
import { LocalRateLimit } from '../../../src/stores/rate-limit.ts';
import { RedisLink } from '../../../src/stores/redis/link.ts';
import { GENEROUS, SHORT, storesMayTake, whileStoresMayTake } from '../../stores/patience.ts';
import { networkTo, roundRobin } from '../../support/balancer.ts';
import { RedisServer } from '../../support/redis.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { PhoneVisitor } from '../../support/visitors.ts';
import { replacing, siteOf } from '../attack.ts';

const TIMES = 10;
const limits = { address: { finish: TIMES, scan: TIMES } };

/** Sends a request that the server counts, and then refuses before it needs a store. @returns the status */
async function sendCounted(issuer: string, network: typeof fetch = fetch, address?: string): Promise<number> {
  const answer = await network(`${issuer}/interaction/any/qr/finish`, {
    method: 'POST',
    body: 'no form',
    headers: { 'content-type': 'text/plain', ...(address !== undefined && { 'x-forwarded-for': address }) },
  });
  await answer.text();
  return answer.status;
}

/** Sends requests one after the other. @returns the statuses of the answers, without repetitions */
async function inTurn(times: number, one: (turn: number) => Promise<number>): Promise<number[]> {
  const answered = new Set<number>();
  for (let turn = 0; turn < times; turn++) answered.add(await one(turn));
  return [...answered];
}

describe('limits of two nodes on one Redis', () => {
  storesMayTake(GENEROUS);

  let redis: RedisServer;
  let nodes: RedisWorld[] = [];
  let issuer: string;
  let networks: readonly [typeof fetch, typeof fetch];

  before(async () => {
    redis = await RedisServer.start();
    const options = { proxy: true, qrLogin: { limits } };
    const first = await RedisWorld.start(options, redis);
    nodes = [first];
    issuer = first.world.issuer;
    const second = await RedisWorld.start({ ...options, issuer }, redis);
    nodes = [first, second];
    networks = [networkTo(first.world, issuer), networkTo(second.world, issuer)];
  });

  after(async () => {
    await Promise.all(nodes.map((node) => node.leave()));
    await redis?.stop();
  });

  it('are counted together, even by a node that has not counted anything yet', async () => {
    const address = '203.0.113.1';
    const [first, second] = networks;
    expect(await inTurn(TIMES, () => sendCounted(issuer, first, address))).to.deep.equal([415]);
    expect(await sendCounted(issuer, second, address)).to.equal(429);
    expect(await sendCounted(issuer, first, address)).to.equal(429);
    expect(await sendCounted(issuer, second, '203.0.113.2')).to.equal(415);
  });

  it('are counted together while both nodes count', async () => {
    const address = '203.0.113.3';
    const [first, second] = networks;
    expect(await inTurn(TIMES, (turn) => sendCounted(issuer, turn % 2 === 0 ? first : second, address))).to.deep.equal([
      415,
    ]);
    expect(await sendCounted(issuer, first, address)).to.equal(429);
    expect(await sendCounted(issuer, second, address)).to.equal(429);
  });

  it('are not exceeded by simultaneous requests', async () => {
    const network = roundRobin(networks);
    const answers = await Promise.all(Array.from({ length: 50 }, () => sendCounted(issuer, network, '203.0.113.4')));
    expect(answers.filter((status) => status !== 429)).to.have.length(TIMES);
  });

  it('leave no key in Redis that does not expire', async () => {
    await sendCounted(issuer, networks[0], '203.0.113.5');
    const keys = (await redis.command('KEYS', '*limit:*')) as string[];
    expect(keys).not.to.be.empty;
    for (const key of keys) {
      // Redis answers -1 for a key that never expires, and -2 for a key that has expired since it was listed.
      expect(Number(await redis.command('PTTL', key)), key)
        .to.be.at.most(60_000)
        .and.not.equal(-1);
    }
  });

  it('apply to an account on both nodes together', async () => {
    const [{ world }] = nodes as [RedisWorld];
    const phone = new PhoneVisitor(siteOf(world), roundRobin(networks));
    await phone.signInAt(`${issuer}/account`);
    const url = `${issuer}/qr/tickets/${'A'.repeat(24)}`;
    const answers = await Promise.all(Array.from({ length: 45 }, () => phone.look(url)));
    expect(answers.filter(({ status }) => status === 404)).to.have.length(40);
  });
});

describe('limits without Redis', () => {
  storesMayTake(GENEROUS);

  for (const [how, lose] of [
    ['is stopped', ({ redis }: RedisWorld): unknown => redis.pause()],
    ['is killed', ({ redis }: RedisWorld): unknown => redis.kill()],
  ] as const) {
    it(`are kept in memory when Redis ${how}`, async () => {
      await RedisWorld.during({ qrLogin: { limits } }, async (there) => {
        const { issuer } = there.world;
        expect(await sendCounted(issuer)).to.equal(415);
        await lose(there);
        await whileStoresMayTake(SHORT, async () => {
          expect(await inTurn(TIMES, () => sendCounted(issuer))).to.deep.equal([415]);
          expect(await sendCounted(issuer)).to.equal(429);
        });
      });
    });
  }

  it('let many requests wait for Redis at the same time instead of one after the other', async () => {
    await RedisWorld.during({ qrLogin: { limits } }, async ({ world: { issuer } }) => {
      const undo = answeringOnceAllAsk(50)();
      try {
        const answers = await Promise.all(Array.from({ length: 50 }, () => sendCounted(issuer)));
        expect(answers.filter((status) => status === 415)).to.have.length(TIMES);
      } finally {
        undo();
      }
    });
  });

  it('still refuse a client that was over a limit before, without asking Redis', async () => {
    await RedisWorld.during({ qrLogin: { limits } }, async ({ world: { issuer }, redis }) => {
      await inTurn(TIMES + 1, () => sendCounted(issuer));
      redis.pause();
      // If the limiter asked Redis and got no answer, it would count from zero again, and the answer would be a 415.
      expect(await sendCounted(issuer)).to.equal(429);
    });
  });

  it('are counted together again when Redis is back', async () => {
    await RedisWorld.during({ qrLogin: { limits } }, async (there) => {
      const { world, redis } = there;
      redis.pause();
      await whileStoresMayTake(SHORT, () => inTurn(3, () => sendCounted(world.issuer)));
      await there.resume();
      await inTurn(2, () => sendCounted(world.issuer));
      expect(await redis.command('KEYS', '*limit:*')).not.to.be.empty;
    });
  });
});

/** Returns a patch that makes Redis fail this number of commands at the same time, after it has received them all. */
function answeringOnceAllAsk(all: number): () => () => void {
  let fail: () => void = () => undefined;
  const failure = new Promise<never>((_resolve, reject) => {
    fail = () => reject(new Error('Redis is gone'));
  });
  let asked = 0;
  return replacing(RedisLink.prototype, 'run', () => () => {
    asked += 1;
    if (asked === all) fail();
    return failure;
  });
}

describe('the memory of a limiter', () => {
  afterEach(() => mock.restoreAll());

  it('forgets any number of clients that have stopped sending requests when another client sends one', () => {
    let now = 1_000_000;
    mock.method(performance, 'now', () => now);
    const limit = new LocalRateLimit({ times: TIMES, within: 60 });
    for (let index = 0; index < 20_000; index++) limit.take(`${index}`);
    expect(limit.size).to.equal(20_000);
    now += 60_000;
    limit.take('another client');
    expect(limit.size).to.equal(1);
  });
});
