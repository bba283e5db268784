import { randomUUID } from 'node:crypto';
import type KeyvRedis from '@keyv/redis';
import { expect } from 'chai';
import type { AdapterFactory } from 'oidc-provider';
import { keyvAdapter } from '../../../src/stores/adapter/keyv-adapter.ts';
import { RedisServer } from '../../support/redis.ts';
import { until } from '../../support/until.ts';
import { GENEROUS, storesMayTake } from '../patience.ts';
import { keyvIn, newConnection } from './backends.ts';
import { modelsOfSuite, OF_A_GRANT, OF_EACH_MODEL, OF_NO_GRANT } from './payloads.ts';
import { storedName } from './stored-names.ts';

const session = OF_NO_GRANT.Session ?? {};
const deviceCode = OF_A_GRANT.DeviceCode ?? {};

/** The answers of PTTL for a key that never expires, and for a key that does not exist. */
const PTTL_ENDLESS = -1;
const PTTL_GONE = -2;

describe('a record of oidc-provider in Redis', () => {
  let redis: RedisServer;
  let connection: KeyvRedis<unknown>;
  let adapter: AdapterFactory;
  let namespace: string;

  storesMayTake(GENEROUS);

  before(async () => {
    redis = await RedisServer.start();
    connection = newConnection(redis.url);
  });

  after(async () => {
    await connection?.disconnect(true);
    await redis?.stop();
  });

  beforeEach(() => {
    namespace = randomUUID();
    adapter = keyvAdapter(keyvIn(connection, namespace));
  });

  /** Returns the milliseconds until a key expires. */
  async function left(key: string): Promise<number> {
    return Number(await redis.command('PTTL', nameOf(key)));
  }

  function nameOf(key: string): string {
    return `${namespace}:oidc:${storedName(key)}`;
  }

  async function expectSeconds(key: string, seconds: number): Promise<void> {
    // Leaves 30 s for a slow machine. The times that the tests distinguish differ by more than that.
    expect(await left(key), key).to.be.within(Math.max(1, (seconds - 30) * 1000), seconds * 1000);
  }

  async function members(): Promise<string[]> {
    const answer = await redis.command('ZRANGE', nameOf('grant:grant'), '0', '-1');
    return Array.isArray(answer) ? answer.map(String).sort() : [];
  }

  function token(id: string, expiresIn?: number): Promise<unknown> {
    return adapter('AccessToken').upsert(id, { jti: id, grantId: 'grant' }, expiresIn);
  }

  async function keys(): Promise<string[]> {
    const answer = await redis.command('KEYS', `${namespace}:*`);
    return Array.isArray(answer) ? answer.map((key) => `${key}`.slice(namespace.length + 1)).sort() : [];
  }

  for (const model of modelsOfSuite(Object.keys(OF_EACH_MODEL))) {
    const payload = OF_EACH_MODEL[model] ?? {};

    it(`${model}: expires after the given number of seconds, even if it is consumed`, async () => {
      await adapter(model).upsert('id', payload, 600);
      await expectSeconds(`${model}:id`, 600);
      await redis.command('PEXPIRE', nameOf(`${model}:id`), '300000');
      await adapter(model).consume('id');
      await expectSeconds(`${model}:id`, 300);
    });

    it(`${model}: never expires if no time was given, even if it is consumed`, async () => {
      await adapter(model).upsert('id', payload);
      expect(await left(`${model}:id`)).to.equal(PTTL_ENDLESS);
      await adapter(model).consume('id');
      expect(await left(`${model}:id`)).to.equal(PTTL_ENDLESS);
    });

    it(`${model}: starts its lifetime again when it is written again, with another time or without one`, async () => {
      await adapter(model).upsert('id', payload, 600);
      await adapter(model).upsert('id', payload, 60);
      await expectSeconds(`${model}:id`, 60);
      await adapter(model).upsert('id', payload, 6000);
      await expectSeconds(`${model}:id`, 6000);
      await adapter(model).upsert('id', payload);
      expect(await left(`${model}:id`)).to.equal(PTTL_ENDLESS);
      await adapter(model).upsert('id', payload, 600);
      await expectSeconds(`${model}:id`, 600);
    });
  }

  it('has a fixed set of keys, which all expire after the given number of seconds', async () => {
    await adapter('Session').upsert('id', session, 600);
    await adapter('DeviceCode').upsert('id', deviceCode, 600);
    const written = await keys();
    const plain = ['DeviceCode:id', 'Session:id', 'grant:grant', 'uid:uid of a session', 'userCode:BCDFGHJK'];
    expect(written).to.deep.equal(plain.map((key) => `oidc:${storedName(key)}`));
    for (const key of plain) await expectSeconds(key, 600);
  });

  it('has lookup keys that expire with it, even when it is written again', async () => {
    for (const seconds of [600, 60, 6000]) {
      await adapter('Session').upsert('id', session, seconds);
      await adapter('DeviceCode').upsert('id', deviceCode, seconds);
      await expectSeconds('uid:uid of a session', seconds);
      await expectSeconds(`userCode:${deviceCode.userCode}`, seconds);
    }
    await adapter('Session').upsert('id', session);
    expect(await left('uid:uid of a session')).to.equal(PTTL_ENDLESS);
  });

  it('has lookup keys and a grant that keep their times when it is consumed', async () => {
    await adapter('DeviceCode').upsert('id', deviceCode, 600);
    await adapter('DeviceCode').consume('id');
    await expectSeconds(`userCode:${deviceCode.userCode}`, 600);
    await expectSeconds('grant:grant', 600);
  });

  it('leaves no lookup key when it is destroyed', async () => {
    await adapter('Session').upsert('id', session, 600);
    await adapter('DeviceCode').upsert('id', deviceCode, 600);
    await adapter('Session').destroy('id');
    await adapter('DeviceCode').destroy('id');
    expect(await keys()).to.deep.equal([`oidc:${storedName('grant:grant')}`]);
  });

  it('expires immediately if it is written with 0 or -1 seconds', async () => {
    // oidc-provider saves an interaction or a session for its remaining seconds, which may be 0.
    for (const seconds of [0, -1]) {
      await adapter('Session').upsert('id', session, seconds);
      await token('token', seconds);
    }
    await untilEmpty();
    expect(await adapter('Session').find('id')).to.equal(undefined);
  });

  it('leaves nothing behind after it has expired, even if it is never read', async () => {
    for (const [model, payload] of Object.entries(OF_EACH_MODEL)) await adapter(model).upsert('id', payload, 0.05);
    await untilEmpty();
    for (const model of Object.keys(OF_EACH_MODEL)) expect(await adapter(model).find('id')).to.equal(undefined);
    expect(await adapter('Session').findByUid('uid of a session')).to.equal(undefined);
    expect(await adapter('DeviceCode').findByUserCode('BCDFGHJK')).to.equal(undefined);
  });

  it('is known as a used proof for eleven minutes, or longer if it is saved with a longer time', async () => {
    const proofs = adapter('ReplayDetection');
    await proofs.find('id');
    await expectSeconds('ReplayDetection:id', 660);
    await redis.command('PEXPIRE', nameOf('ReplayDetection:id'), '300000');
    await proofs.find('id');
    await expectSeconds('ReplayDetection:id', 300);
    await proofs.upsert('id', { jti: 'id' }, 60);
    await expectSeconds('ReplayDetection:id', 660);
    await proofs.upsert('id', { jti: 'id' }, 3600);
    await expectSeconds('ReplayDetection:id', 3600);
  });

  describe('has a grant that', () => {
    it('is closed for ten minutes after it was destroyed, and then takes records again', async () => {
      await adapter('Grant').destroy('grant');
      await expectSeconds('grant:grant', 600);
      for (const expiresIn of [3600, undefined]) {
        await token('one', expiresIn);
        await adapter('Grant').destroy('grant');
        await expectSeconds('grant:grant', 600);
        expect(await keys()).to.deep.equal([`oidc:${storedName('grant:grant')}`]);
      }
      // Simulate that ten minutes have passed.
      await redis.command('ZADD', nameOf('grant:grant'), 'XX', `${Date.now() - 1}`, 'closed');
      await token('two', 3600);
      expect(await members()).to.deep.equal([storedName('AccessToken:two')]);
      await expectSeconds('grant:grant', 3600);
    });

    it('is closed for ten minutes, no matter how long its records would have lasted', async () => {
      for (const expiresIn of [60, 3600, undefined]) {
        await redis.command('FLUSHALL');
        await token('one', expiresIn);
        await adapter('Grant').destroy('grant');
        await expectSeconds('grant:grant', 600);
        await token('two', 3600);
        await adapter('AccessToken').revokeByGrantId('grant');
        await expectSeconds('grant:grant', 600);
        expect(await members()).to.deep.equal(['closed']);
      }
    });

    it('expires with its only record', async () => {
      await token('one', 600);
      await expectSeconds('grant:grant', 600);
    });

    it('does not expire earlier if a record with a shorter time is added', async () => {
      await token('one', 600);
      await token('two', 60);
      await expectSeconds('grant:grant', 600);
    });

    it('expires later if a record with a longer time is added', async () => {
      await token('one', 600);
      await token('two', 6000);
      await expectSeconds('grant:grant', 6000);
    });

    it('never expires if one of its records does not, even if records are added later', async () => {
      await token('one', 600);
      await token('two');
      expect(await left('grant:grant')).to.equal(PTTL_ENDLESS);
      await token('three', 60);
      expect(await left('grant:grant')).to.equal(PTTL_ENDLESS);
    });

    it('expires with the latest version of its record', async () => {
      await token('one');
      await token('one', 600);
      await expectSeconds('grant:grant', 600);
      await token('one', 60);
      await expectSeconds('grant:grant', 60);
    });

    it('does not exist any more after it was revoked', async () => {
      await token('one', 600);
      await token('two');
      await adapter('AccessToken').revokeByGrantId('grant');
      expect(await left('grant:grant')).to.equal(PTTL_GONE);
      expect(await keys()).to.deep.equal([]);
    });

    it('can live for a hundred years and still be revoked', async () => {
      const years = 100 * 365 * 24 * 3600;
      await token('one', years);
      await expectSeconds('grant:grant', years);
      await adapter('AccessToken').revokeByGrantId('grant');
      expect(await keys()).to.deep.equal([]);
    });
  });

  it('is removed from its grant after it has expired, when the next record is added', async () => {
    await token('endless');
    for (let number = 0; number < 20; number++) await token(`short ${number}`, 0.05);
    await until(async () => (await keys()).length <= 2);
    expect(await members()).to.have.length.greaterThan(1);
    await token('last', 600);
    expect(await members()).to.deep.equal(['AccessToken:endless', 'AccessToken:last'].map(storedName).sort());
  });

  it('does not stay in a grant that gets a token an hour for a week', async () => {
    for (let hour = 0; hour < 7 * 24; hour++) {
      await token(`${hour}`, 3600);
      // Simulate that an hour has passed and the token has expired.
      await redis.command('ZADD', nameOf('grant:grant'), 'XX', `${Date.now() - 1}`, storedName(`AccessToken:${hour}`));
    }
    await token('last', 3600);
    expect(await members()).to.deep.equal([storedName('AccessToken:last')]);
    await expectSeconds('grant:grant', 3600);
  });

  /** Waits until Redis has dropped all keys. There is no event for that, so it polls. */
  function untilEmpty(): Promise<void> {
    return until(async () => (await keys()).length === 0);
  }
});
