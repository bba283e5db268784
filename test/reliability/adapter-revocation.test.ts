import { expect } from 'chai';
import type { Keyv } from 'keyv';
import { type AdapterFactory, errors } from 'oidc-provider';
import { keyvAdapter } from '../../src/stores/adapter/keyv-adapter.ts';
import { type RedisClient, redisOf } from '../../src/stores/redis/client.ts';
import { LEAVE_GRANT, PUT_RECORD } from '../../src/stores/redis/scripts.ts';
import { cutOff, redisKeyv } from '../stores/adapter/backends.ts';
import { OF_A_GRANT } from '../stores/adapter/payloads.ts';
import { GENEROUS, storesMayTake, whileStoresMayTake } from '../stores/patience.ts';
import { sizeOfSuite } from '../support/full-suite.ts';
import { RedisServer } from '../support/redis.ts';
import { LOOPBACK } from '../support/server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const NAMESPACE = 'revocation';
/** How many records of a grant are deleted before it forgets them, as `stores/redis/records.ts` has it. */
const DELETED_AT_A_TIME = 500;
const MANY = sizeOfSuite({ short: 1_100, full: 2_000 });
/** In milliseconds: how long the store may take where the way to it becomes a black hole. */
const TIGHT = 2_000;
const ROUNDS = sizeOfSuite({ short: 2, full: 20 });

describe('a grant that is revoked in Redis', () => {
  let redis: RedisServer;
  let proxy: TcpProxy;
  let keyvs: Keyv[];
  let one: AdapterFactory;
  let other: AdapterFactory;

  storesMayTake(GENEROUS);

  before(async () => {
    redis = await RedisServer.start();
  });

  after(() => redis?.stop());

  beforeEach(async () => {
    proxy = await TcpProxy.start(redis.port);
    await redis.command('FLUSHALL');
    keyvs = [redisKeyv(redis.url, NAMESPACE), redisKeyv(`redis://${LOOPBACK}:${proxy.port}`, NAMESPACE)];
    [one, other] = keyvs.map(keyvAdapter) as [AdapterFactory, AdapterFactory];
  });

  afterEach(async () => {
    await Promise.all(keyvs?.map(cutOff) ?? []);
    await proxy?.stop();
  });

  async function keys(): Promise<string[]> {
    const answer = await redis.command('KEYS', `${NAMESPACE}:*`);
    return Array.isArray(answer) ? answer.map((key) => `${key}`.slice(NAMESPACE.length + 1)).sort() : [];
  }

  /** A few at a time, so that none has to wait for long. */
  async function write(adapter: AdapterFactory, ids: readonly string[]): Promise<void> {
    for (let first = 0; first < ids.length; first += 100) {
      const some = ids.slice(first, first + 100);
      await Promise.all(some.map((id) => adapter('AccessToken').upsert(id, { jti: id, grantId: 'grant' }, 600)));
    }
  }

  const numbered = (count: number, name = ''): string[] =>
    Array.from({ length: count }, (_, index) => `${name}${index}`);

  it(`leaves nothing, of ${MANY} records`, async () => {
    await write(one, numbered(MANY));
    expect(await keys()).to.have.length(MANY + 1);
    await other('AccessToken').revokeByGrantId('grant');
    expect(await keys()).to.deep.equal([]);
  });

  it('leaves nothing of each model but the way by a user code, which leads nowhere and ends with its time', async () => {
    for (const [model, payload] of Object.entries(OF_A_GRANT)) await one(model).upsert('id', payload, 600);
    await other('AccessToken').revokeByGrantId('grant');
    const [way, ...more] = await keys();
    expect(more).to.deep.equal([]);
    if (way !== undefined) {
      expect(way).to.equal('oidc:userCode:BCDFGHJK');
      expect(Number(await redis.command('PTTL', `${NAMESPACE}:${way}`))).to.be.within(500_000, 600_000);
    }
    expect(await one('DeviceCode').findByUserCode('BCDFGHJK')).to.equal(undefined);
  });

  it('by a way that breaks in the middle says so, and leaves nothing when it is revoked again', async () => {
    await write(one, numbered(MANY));
    const refusal = await revokeUntilHalf(() => proxy.cut());
    expect(refusal).to.be.instanceOf(errors.OIDCProviderError).with.property('status', 503);
    const left = await keys();
    expect(left).to.have.length(MANY - DELETED_AT_A_TIME + 1);
    expect(left).to.include('oidc:grant:grant');
    await one('AccessToken').revokeByGrantId('grant');
    expect(await keys()).to.deep.equal([]);
  });

  it('by a way that is a black hole in the middle says so, and leaves nothing when it is revoked again', async () => {
    await write(one, numbered(MANY));
    const refusal = await whileStoresMayTake(TIGHT, () => revokeUntilHalf(async () => proxy.freeze()));
    expect(refusal).to.be.instanceOf(errors.OIDCProviderError).with.property('status', 503);
    await one('AccessToken').revokeByGrantId('grant');
    expect(await keys()).to.deep.equal([]);
  });

  it('by two at the same time leaves nothing', async () => {
    await write(one, numbered(MANY));
    await Promise.all([one, other].map((adapter) => adapter('AccessToken').revokeByGrantId('grant')));
    expect(await keys()).to.deep.equal([]);
  });

  it('while it is written to holds what came too late, and leaves nothing when it is revoked again', async () => {
    await write(one, numbered(200));
    await other('AccessToken').revokeByGrantId('grant');
    await Promise.all([write(one, numbered(100, 'late ')), write(other, numbered(100, 'later '))]);
    expect(await keys()).to.have.length(201);
    await other('AccessToken').revokeByGrantId('grant');
    expect(await keys()).to.deep.equal([]);
  });

  /** Revokes the grant by the way that can break, and breaks it once the first of its records are gone. Returns the refusal. */
  async function revokeUntilHalf(breakTheWay: () => Promise<void>): Promise<unknown> {
    const taken = gate();
    const broken = gate();
    meetAt(keyvs[1], LEAVE_GRANT.sha, taken.open, broken.opened);
    const revoked = outcome(other('AccessToken').revokeByGrantId('grant'));
    await taken.opened;
    await breakTheWay();
    broken.open();
    return revoked;
  }

  it('leaves no record that it does not know, of a hundred that two nodes write', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      await write(one, numbered(200, 'early '));
      const late = [write(one, numbered(100, 'late ')), write(other, numbered(100, 'late '))];
      await Promise.all([...late, other('AccessToken').revokeByGrantId('grant')]);
      await one('AccessToken').revokeByGrantId('grant');
      expect(await keys(), `round ${round}`).to.deep.equal([]);
    }
  });

  it('leaves no record that comes after it was taken, and before the grant forgets it', async () => {
    await write(one, ['warm']);
    await other('AccessToken').revokeByGrantId('grant');
    const joined = gate();
    const taken = gate();
    const written = gate();
    meetAt(keyvs[0], PUT_RECORD.sha, joined.open, taken.opened);
    meetAt(keyvs[1], LEAVE_GRANT.sha, taken.open, written.opened);
    const writing = write(one, ['token']).then(written.open);
    await joined.opened;
    await other('AccessToken').revokeByGrantId('grant');
    await writing;
    await other('AccessToken').revokeByGrantId('grant');
    expect(await keys()).to.deep.equal([]);
  });
});

/** @returns why somebody was refused; nothing, where they were not */
function outcome(act: Promise<unknown>): Promise<unknown> {
  return act.then(
    () => undefined,
    (reason: unknown) => reason,
  );
}

interface Gate {
  readonly open: () => void;
  readonly opened: Promise<void>;
}

function gate(): Gate {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

/** Holds a node back where it is about to run a script. */
function meetAt(keyv: Keyv | undefined, sha: string, tell: () => void, wait: Promise<void>): void {
  // Clients with options, such as the plugin's, have the same prototype.
  const client: RedisClient | undefined = keyv && Object.getPrototypeOf(redisOf(keyv)?.client);
  if (client === undefined) throw new Error('this Keyv has no client');
  const run = client.evalSha;
  // Each of those clients calls it as its own, with its options.
  client.evalSha = async function (called, call) {
    if (called === sha) {
      tell();
      await wait;
    }
    return run.call(this, called, call);
  };
}
