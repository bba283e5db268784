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

const session = OF_NO_GRANT.Session ?? {};
const deviceCode = OF_A_GRANT.DeviceCode ?? {};

/** What Redis says of a key that never expires, and of one that is not there. */
const ENDLESS = -1;
const GONE = -2;

describe("the time that oidc-provider's records live in Redis", () => {
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

  /** How many milliseconds a key has left. */
  async function left(key: string): Promise<number> {
    return Number(await redis.command('PTTL', `${namespace}:oidc:${key}`));
  }

  async function expectSeconds(key: string, seconds: number): Promise<void> {
    // The machine may be slow, but not by half a minute; the times that the tests tell apart differ by more.
    expect(await left(key), key).to.be.within(Math.max(1, (seconds - 30) * 1000), seconds * 1000);
  }

  async function members(): Promise<string[]> {
    const answer = await redis.command('ZRANGE', `${namespace}:oidc:grant:grant`, '0', '-1');
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

    it(`${model}: as many seconds as it was given, and as many once it is consumed`, async () => {
      await adapter(model).upsert('id', payload, 600);
      await expectSeconds(`${model}:id`, 600);
      await redis.command('PEXPIRE', `${namespace}:oidc:${model}:id`, '300000');
      await adapter(model).consume('id');
      await expectSeconds(`${model}:id`, 300);
    });

    it(`${model}: for ever where none were given, also once it is consumed`, async () => {
      await adapter(model).upsert('id', payload);
      expect(await left(`${model}:id`)).to.equal(ENDLESS);
      await adapter(model).consume('id');
      expect(await left(`${model}:id`)).to.equal(ENDLESS);
    });

    it(`${model}: starts anew when it is written again, with another end or with none`, async () => {
      await adapter(model).upsert('id', payload, 600);
      await adapter(model).upsert('id', payload, 60);
      await expectSeconds(`${model}:id`, 60);
      await adapter(model).upsert('id', payload, 6000);
      await expectSeconds(`${model}:id`, 6000);
      await adapter(model).upsert('id', payload);
      expect(await left(`${model}:id`)).to.equal(ENDLESS);
      await adapter(model).upsert('id', payload, 600);
      await expectSeconds(`${model}:id`, 600);
    });
  }

  it('is that of every key that is written for it, and no other key is', async () => {
    await adapter('Session').upsert('id', session, 600);
    await adapter('DeviceCode').upsert('id', deviceCode, 600);
    const written = await keys();
    expect(written).to.deep.equal([
      'oidc:DeviceCode:id',
      'oidc:Session:id',
      'oidc:grant:grant',
      'oidc:uid:uid of a session',
      `oidc:userCode:${deviceCode.userCode}`,
    ]);
    for (const key of written) await expectSeconds(key.slice('oidc:'.length), 600);
  });

  it('is that of the ways to it, also when it is written again', async () => {
    for (const seconds of [600, 60, 6000]) {
      await adapter('Session').upsert('id', session, seconds);
      await adapter('DeviceCode').upsert('id', deviceCode, seconds);
      await expectSeconds('uid:uid of a session', seconds);
      await expectSeconds(`userCode:${deviceCode.userCode}`, seconds);
    }
    await adapter('Session').upsert('id', session);
    expect(await left('uid:uid of a session')).to.equal(ENDLESS);
  });

  it('does not change the ways to it when it is consumed', async () => {
    await adapter('DeviceCode').upsert('id', deviceCode, 600);
    await adapter('DeviceCode').consume('id');
    await expectSeconds(`userCode:${deviceCode.userCode}`, 600);
    await expectSeconds('grant:grant', 600);
  });

  it('leaves no way to it when it is destroyed', async () => {
    await adapter('Session').upsert('id', session, 600);
    await adapter('DeviceCode').upsert('id', deviceCode, 600);
    await adapter('Session').destroy('id');
    await adapter('DeviceCode').destroy('id');
    expect(await keys()).to.deep.equal(['oidc:grant:grant']);
  });

  it('is the least there is, where there is none left or less', async () => {
    // oidc-provider saves an interaction or a session for the seconds that it has left, which may be none.
    for (const seconds of [0, -1]) {
      await adapter('Session').upsert('id', session, seconds);
      await token('token', seconds);
    }
    await emptied();
    expect(await adapter('Session').find('id')).to.equal(undefined);
  });

  it('leaves nothing behind, although nobody reads it any more', async () => {
    for (const [model, payload] of Object.entries(OF_EACH_MODEL)) await adapter(model).upsert('id', payload, 0.05);
    await emptied();
    for (const model of Object.keys(OF_EACH_MODEL)) expect(await adapter(model).find('id')).to.equal(undefined);
    expect(await adapter('Session').findByUid('uid of a session')).to.equal(undefined);
    expect(await adapter('DeviceCode').findByUserCode('BCDFGHJK')).to.equal(undefined);
  });

  describe('is, for a grant,', () => {
    it('that of its only record', async () => {
      await token('one', 600);
      await expectSeconds('grant:grant', 600);
    });

    it('not made shorter by a record that lives shorter', async () => {
      await token('one', 600);
      await token('two', 60);
      await expectSeconds('grant:grant', 600);
    });

    it('made longer by a record that lives longer', async () => {
      await token('one', 600);
      await token('two', 6000);
      await expectSeconds('grant:grant', 6000);
    });

    it('without end once one of its records is, whatever comes after that', async () => {
      await token('one', 600);
      await token('two');
      expect(await left('grant:grant')).to.equal(ENDLESS);
      await token('three', 60);
      expect(await left('grant:grant')).to.equal(ENDLESS);
    });

    it('that of its record as it was written last', async () => {
      await token('one');
      await token('one', 600);
      await expectSeconds('grant:grant', 600);
      await token('one', 60);
      await expectSeconds('grant:grant', 60);
    });

    it('over when all of its records are revoked', async () => {
      await token('one', 600);
      await token('two');
      await adapter('AccessToken').revokeByGrantId('grant');
      expect(await left('grant:grant')).to.equal(GONE);
      expect(await keys()).to.deep.equal([]);
    });

    it('long enough that records which live as long as they can are revoked with it', async () => {
      const years = 100 * 365 * 24 * 3600;
      await token('one', years);
      await expectSeconds('grant:grant', years);
      await adapter('AccessToken').revokeByGrantId('grant');
      expect(await keys()).to.deep.equal([]);
    });
  });

  it('is not outlived in the grant: what is over is let go when the next one comes', async () => {
    await token('endless');
    for (let number = 0; number < 20; number++) await token(`short ${number}`, 0.05);
    await until(async () => (await keys()).length <= 2);
    expect(await members()).to.have.length.greaterThan(1);
    await token('last', 600);
    expect(await members()).to.deep.equal(['AccessToken:endless', 'AccessToken:last']);
  });

  it('keeps a grant small that gets a token an hour for a week', async () => {
    for (let hour = 0; hour < 7 * 24; hour++) {
      await token(`${hour}`, 3600);
      // An hour later: its time is over.
      await redis.command('ZADD', `${namespace}:oidc:grant:grant`, 'XX', `${Date.now() - 1}`, `AccessToken:${hour}`);
    }
    await token('last', 3600);
    expect(await members()).to.deep.equal(['AccessToken:last']);
    await expectSeconds('grant:grant', 3600);
  });

  /** Redis drops keys by itself; nothing tells when. */
  function emptied(): Promise<void> {
    return until(async () => (await keys()).length === 0);
  }
});
