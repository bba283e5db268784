import { expect } from 'chai';
import type { Keyv } from 'keyv';
import type { AdapterFactory } from 'oidc-provider';
import { keyvAdapter } from '../../src/stores/keyv-adapter.ts';
import { type RedisClient, redisOf } from '../../src/stores/redis/client.ts';
import { LEAVE_GRANT, PUT_RECORD } from '../../src/stores/redis/scripts.ts';
import { cutOff, redisKeyv } from '../stores/adapter-backends.ts';
import { RedisServer } from '../support/redis.ts';

const NAMESPACE = 'race';

describe('a grant that is revoked in Redis while it is written to', () => {
  let redis: RedisServer;
  let keyvs: Keyv[];
  let one: AdapterFactory;
  let other: AdapterFactory;

  before(async () => {
    redis = await RedisServer.start();
  });

  after(() => redis.stop());

  beforeEach(async () => {
    await redis.command('FLUSHALL');
    keyvs = [redisKeyv(redis.url, NAMESPACE), redisKeyv(redis.url, NAMESPACE)];
    [one, other] = keyvs.map(keyvAdapter) as [AdapterFactory, AdapterFactory];
  });

  afterEach(() => Promise.all(keyvs.map(cutOff)));

  async function keys(): Promise<string[]> {
    const answer = await redis.command('KEYS', `${NAMESPACE}:*`);
    return Array.isArray(answer) ? answer.map((key) => `${key}`.slice(NAMESPACE.length + 1)).sort() : [];
  }

  function write(adapter: AdapterFactory, ids: readonly string[]): Promise<unknown> {
    return Promise.all(ids.map((id) => adapter('AccessToken').upsert(id, { jti: id, grantId: 'grant' }, 600)));
  }

  const numbered = (count: number, name: string): string[] =>
    Array.from({ length: count }, (_, index) => `${name} ${index}`);

  it('leaves no record that it does not know, of a hundred that two nodes write', async () => {
    for (let round = 0; round < 20; round++) {
      await write(one, numbered(200, 'early'));
      const late = [write(one, numbered(100, 'late')), write(other, numbered(100, 'late'))];
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
  const run = client.evalSha.bind(client);
  client.evalSha = async (called, call) => {
    if (called === sha) {
      tell();
      await wait;
    }
    return run(called, call);
  };
}
