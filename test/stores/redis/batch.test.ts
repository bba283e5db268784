import { expect } from 'chai';
import type { Keyv } from 'keyv';
import { redisOf } from '../../../src/stores/redis/client.ts';
import { RedisLink } from '../../../src/stores/redis/link.ts';
import { CLAIM, POINT } from '../../../src/stores/redis/scripts.ts';
import { CommandProxy } from '../../support/command-proxy.ts';
import { RedisServer } from '../../support/redis.ts';
import { cutOff, redisKeyv } from '../adapter/backends.ts';
import { GENEROUS, storesMayTake } from '../patience.ts';

const MINUTE = '60000';

describe('the accesses to Redis in one turn of the event loop', () => {
  let redis: RedisServer;
  let proxy: CommandProxy;
  let keyv: Keyv;
  let link: RedisLink;

  storesMayTake(GENEROUS);

  before(async () => {
    redis = await RedisServer.start();
    proxy = await CommandProxy.start(redis.port);
    keyv = redisKeyv(proxy.url, 'batch');
    const found = redisOf(keyv);
    if (found === undefined) throw new Error('this is not a Keyv over Redis');
    link = RedisLink.forClient(found);
  });

  beforeEach(async () => {
    await redis.command('FLUSHALL');
    // Loads the scripts.
    await Promise.all([link.run(POINT, ['loaded'], ['1', MINUTE]), link.get('loaded')]);
  });

  after(async () => {
    await cutOff(keyv);
    await proxy.stop();
    await redis.stop();
  });

  it('go to Redis in one command, in their order, and each gets its own answer', async () => {
    await redis.command('HSET', 'a record', 'payload', 'text');
    let answers: unknown[] = [];
    const commands = await proxy.count(async () => {
      answers = await Promise.all([
        link.get('a note'),
        link.run(POINT, ['a note'], ['a text', MINUTE]),
        link.get('a note'),
        link.run(CLAIM, ['a note'], [MINUTE]),
        link.hmGet('a record', ['payload', 'consumed']),
        link.hmGet('no record', ['payload', 'consumed']),
      ]);
    });
    expect(answers).to.deep.equal([null, 'OK', 'a text', null, ['text', null], [null, null]]);
    expect(commands).to.equal(1);
  });

  it('may begin in promises of the same turn', async () => {
    const commands = await proxy.count(async () => {
      await Promise.all([link.get('one'), Promise.resolve().then(() => link.get('two'))]);
    });
    expect(commands).to.equal(1);
  });

  it('succeed even if another one fails', async () => {
    await redis.command('SET', 'a text', 'text');
    const [failed, read, written] = await Promise.allSettled([
      link.hmGet('a text', ['payload']),
      link.get('a text'),
      link.run(POINT, ['a note'], ['1', MINUTE]),
    ]);
    expect(failed).to.have.property('status', 'rejected');
    expect(failed).to.have.nested.property('reason.code', 'store_unavailable');
    expect(failed)
      .to.have.nested.property('reason.cause.message')
      .that.matches(/WRONGTYPE/);
    expect(read).to.have.property('value', 'text');
    expect(written).to.have.property('value', 'OK');
  });

  it('still work if Redis has lost its scripts', async () => {
    await redis.command('SCRIPT', 'FLUSH');
    expect(await Promise.all([link.run(POINT, ['a note'], ['1', MINUTE]), link.get('a note')])).to.deep.equal([
      'OK',
      '1',
    ]);
  });

  it('are sent in commands of at most fifty accesses', async () => {
    const commands = await proxy.count(() => Promise.all(Array.from({ length: 120 }, (_, n) => link.get(`${n}`))));
    expect(commands).to.equal(3);
  });

  it('are an ordinary command if there is only one access', async () => {
    await redis.command('CONFIG', 'RESETSTAT');
    await link.get('a note');
    expect(`${await redis.command('INFO', 'commandstats')}`)
      .to.include('cmdstat_get:')
      .and.not.include('eval');
  });
});
