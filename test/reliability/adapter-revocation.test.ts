import { expect } from 'chai';
import { Keyv } from 'keyv';
import { type Adapter, type AdapterFactory, errors } from 'oidc-provider';
import { keyvAdapter } from '../../src/stores/adapter/keyv-adapter.ts';
import { type RedisClient, redisOf } from '../../src/stores/redis/client.ts';
import { LEAVE_GRANT, PUT_RECORD } from '../../src/stores/redis/scripts.ts';
import { cutOff, redisKeyv } from '../stores/adapter/backends.ts';
import { OF_A_GRANT } from '../stores/adapter/payloads.ts';
import { storedName } from '../stores/adapter/stored-names.ts';
import { GENEROUS, storesMayTake, whileStoresMayTake } from '../stores/patience.ts';
import { sizeOfSuite } from '../support/full-suite.ts';
import { RedisServer } from '../support/redis.ts';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts';
import { LOOPBACK } from '../support/server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const NAMESPACE = 'revocation';
/** The number of records of a grant that are deleted at a time, as in `src/stores/adapter/redis-records.ts`. */
const DELETED_AT_A_TIME = 500;
const MANY = sizeOfSuite({ short: 1_100, full: 2_000 });
/** The time that the store may take if the network becomes a black hole. */
const TIGHT_MS = 2_000;
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
    [one, other] = keyvs.map((keyv) => keyvAdapter(keyv)) as [AdapterFactory, AdapterFactory];
  });

  afterEach(async () => {
    await Promise.all(keyvs?.map(cutOff) ?? []);
    await proxy?.stop();
  });

  async function keys(): Promise<string[]> {
    const answer = await redis.command('KEYS', `${NAMESPACE}:*`);
    return Array.isArray(answer) ? answer.map((key) => `${key}`.slice(NAMESPACE.length + 1)).sort() : [];
  }

  /** Writes tokens, a few at a time, so that no write has to wait for long. */
  async function write(adapter: AdapterFactory, ids: readonly string[]): Promise<void> {
    for (let first = 0; first < ids.length; first += 100) {
      const some = ids.slice(first, first + 100);
      await Promise.all(some.map((id) => adapter('AccessToken').upsert(id, { jti: id, grantId: 'grant' }, 600)));
    }
  }

  const numbered = (count: number, name = ''): string[] =>
    Array.from({ length: count }, (_, index) => `${name}${index}`);

  it(`leaves none of ${MANY} records`, async () => {
    await write(one, numbered(MANY));
    expect(await keys()).to.have.length(MANY + 1);
    await other('AccessToken').revokeByGrantId('grant');
    expect(await keys()).to.deep.equal([]);
  });

  it('leaves only the lookup key of a user code, which finds no record and expires', async () => {
    for (const [model, payload] of Object.entries(OF_A_GRANT)) await one(model).upsert('id', payload, 600);
    await other('AccessToken').revokeByGrantId('grant');
    const [lookup, ...more] = await keys();
    expect(more).to.deep.equal([]);
    if (lookup !== undefined) {
      expect(lookup).to.equal(`oidc:${storedName('userCode:BCDFGHJK')}`);
      expect(Number(await redis.command('PTTL', `${NAMESPACE}:${lookup}`))).to.be.within(500_000, 600_000);
    }
    expect(await one('DeviceCode').findByUserCode('BCDFGHJK')).to.equal(undefined);
  });

  it('reports an error if the network breaks in the middle, and leaves nothing when it is revoked again', async () => {
    await write(one, numbered(MANY));
    const refusal = await revokeUntilHalf(() => proxy.cut());
    expect(refusal).to.be.instanceOf(errors.OIDCProviderError).with.property('status', 503);
    const left = await keys();
    expect(left).to.have.length(MANY - DELETED_AT_A_TIME + 1);
    expect(left).to.include(`oidc:${storedName('grant:grant')}`);
    await one('AccessToken').revokeByGrantId('grant');
    expect(await keys()).to.deep.equal([]);
  });

  it('reports an error if the network becomes a black hole, and leaves nothing when it is revoked again', async () => {
    await write(one, numbered(MANY));
    const refusal = await whileStoresMayTake(TIGHT_MS, () => revokeUntilHalf(async () => proxy.freeze()));
    expect(refusal).to.be.instanceOf(errors.OIDCProviderError).with.property('status', 503);
    await one('AccessToken').revokeByGrantId('grant');
    expect(await keys()).to.deep.equal([]);
  });

  it('leaves nothing if two nodes revoke it at the same time', async () => {
    await write(one, numbered(MANY));
    await Promise.all([one, other].map((adapter) => adapter('AccessToken').revokeByGrantId('grant')));
    expect(await keys()).to.deep.equal([]);
  });

  it('accepts records that are written after the revocation, and leaves nothing when it is revoked again', async () => {
    await write(one, numbered(200));
    await other('AccessToken').revokeByGrantId('grant');
    await Promise.all([write(one, numbered(100, 'late ')), write(other, numbered(100, 'later '))]);
    expect(await keys()).to.have.length(201);
    await other('AccessToken').revokeByGrantId('grant');
    expect(await keys()).to.deep.equal([]);
  });

  /**
   * Revokes the grant over the proxy, and breaks the network when the first records are deleted.
   * @returns the error of the revocation
   */
  async function revokeUntilHalf(breakNetwork: () => Promise<void>): Promise<unknown> {
    const taken = gate();
    const broken = gate();
    // The plugin uses clients with options, which inherit from the same prototype.
    stopBefore(
      Object.getPrototypeOf(redisOf(keyvs[1] ?? new Keyv())?.client),
      LEAVE_GRANT.sha,
      taken.open,
      broken.opened,
    );
    const revoked = errorOf(other('AccessToken').revokeByGrantId('grant'));
    await taken.opened;
    await breakNetwork();
    broken.open();
    return revoked;
  }

  it('leaves no record outside of the grant when two nodes write the same records during a revocation', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      await write(one, numbered(200, 'early '));
      const late = [write(one, numbered(100, 'late ')), write(other, numbered(100, 'late '))];
      await Promise.all([...late, other('AccessToken').revokeByGrantId('grant')]);
      await one('AccessToken').revokeByGrantId('grant');
      expect(await keys(), `round ${round}`).to.deep.equal([]);
    }
  });
});

/** In a cluster, a record and its grant are written one after the other. */
describe('a grant that is revoked in a Redis Cluster', () => {
  let cluster: RedisCluster;
  let keyvs: Keyv[];

  storesMayTake(GENEROUS);

  before(async () => {
    cluster = await startRedisCluster();
    keyvs = [redisKeyv(cluster, NAMESPACE), redisKeyv(cluster, NAMESPACE)];
  });

  after(async () => {
    await Promise.all(keyvs?.map(cutOff) ?? []);
    await cluster?.stop();
  });

  async function keys(): Promise<unknown[]> {
    const found = await Promise.all(cluster.servers.map((server) => server.command('KEYS', `${NAMESPACE}:oidc:*`)));
    return found.flat();
  }

  it('leaves nothing even if a record is written between its deletion and its removal from the grant', async () => {
    const [one, other] = keyvs.map((keyv) => keyvAdapter(keyv)('AccessToken')) as [Adapter, Adapter];
    const write = (id: string): Promise<unknown> => one.upsert(id, { jti: id, grantId: 'grant' }, 600);
    await write('warm');
    await other.revokeByGrantId('grant');
    const joined = gate();
    const taken = gate();
    const written = gate();
    stopBefore(redisOf(keyvs[0] ?? new Keyv())?.client, PUT_RECORD.sha, joined.open, taken.opened);
    stopBefore(redisOf(keyvs[1] ?? new Keyv())?.client, LEAVE_GRANT.sha, taken.open, written.opened);
    const writing = write('token').then(written.open);
    await joined.opened;
    await other.revokeByGrantId('grant');
    await writing;
    await other.revokeByGrantId('grant');
    expect(await keys()).to.deep.equal([]);
  });
});

/** Returns the error of a call; undefined if it succeeded. */
function errorOf(act: Promise<unknown>): Promise<unknown> {
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

/** Stops a client just before it runs a script, calls `tell`, and lets it continue when `wait` settles. */
function stopBefore(client: RedisClient | undefined, sha: string, tell: () => void, wait: Promise<void>): void {
  if (client === undefined) throw new Error('this Keyv has no client');
  const run = client.evalSha;
  // Keep `this`, because each of these clients has its own options.
  client.evalSha = async function (called, call) {
    if (called === sha) {
      tell();
      await wait;
    }
    return run.call(this, called, call);
  };
}
