import { expect } from 'chai';
import type { Keyv } from 'keyv';
import { type AdapterFactory, errors } from 'oidc-provider';
import { setStorePatience } from '../../src/stores/access.ts';
import { keyvAdapter } from '../../src/stores/adapter/keyv-adapter.ts';
import { cutOff, redisKeyv } from '../stores/adapter/backends.ts';
import { OF_A_GRANT, OF_EACH_MODEL, OF_NO_GRANT } from '../stores/adapter/payloads.ts';
import { FlakyBackend, HangingBackend, keyvOver } from '../stores/memory/keyv-stores.ts';
import { GENEROUS, SHORT, storesMayTake, whileStoresMayTake } from '../stores/patience.ts';
import { RedisServer } from '../support/redis.ts';
import { eventually } from '../support/until.ts';

const session = OF_NO_GRANT.Session ?? {};

const READS: Readonly<Record<string, (adapter: AdapterFactory) => Promise<unknown>>> = {
  find: (adapter) => adapter('Session').find('id'),
  findByUid: (adapter) => adapter('Session').findByUid('uid of a session'),
  findByUserCode: (adapter) => adapter('DeviceCode').findByUserCode('BCDFGHJK'),
};

/** What needs memory. */
const ADDITIONS: typeof READS = {
  upsert: (adapter) => adapter('Session').upsert('id', session, 60),
  consume: (adapter) => adapter('RefreshToken').consume('id'),
};

const REMOVALS: typeof READS = {
  destroy: (adapter) => adapter('DeviceCode').destroy('id'),
  revokeByGrantId: (adapter) => adapter('AuthorizationCode').revokeByGrantId('grant'),
};

const ALL = { ...READS, ...ADDITIONS, ...REMOVALS };

interface Fault {
  readonly begin: (redis: RedisServer) => Promise<unknown>;
  readonly end: (redis: RedisServer) => Promise<unknown>;
  /** Nothing is answered, and so everything is refused once the time for an answer is over. */
  readonly hangs?: true;
  readonly refused: typeof READS;
  readonly done?: typeof READS;
}

const FAULTS: Readonly<Record<string, Fault>> = {
  'is stopped': {
    begin: async (redis) => redis.pause(),
    end: async (redis) => redis.resume(),
    hangs: true,
    refused: ALL,
  },
  'is killed': { begin: (redis) => redis.kill(), end: (redis) => redis.restart(), hangs: true, refused: ALL },
  'has become a replica': {
    begin: (redis) => redis.command('REPLICAOF', '127.0.0.1', '1'),
    end: (redis) => redis.command('REPLICAOF', 'NO', 'ONE'),
    refused: { ...ADDITIONS, ...REMOVALS },
    done: READS,
  },
  'is out of memory': {
    begin: (redis) => redis.command('CONFIG', 'SET', 'maxmemory', '1'),
    end: (redis) => redis.command('CONFIG', 'SET', 'maxmemory', '0'),
    refused: ADDITIONS,
    done: { ...READS, ...REMOVALS },
  },
};

/** With what oidc-provider tells its clients as status 503. */
async function expectRefused(act: () => Promise<unknown>): Promise<void> {
  const reason: unknown = await act().then(
    () => undefined,
    (refusal: unknown) => refusal,
  );
  expect(reason).to.be.instanceOf(errors.OIDCProviderError);
  expect(reason).to.include({ status: 503, statusCode: 503, error: 'temporarily_unavailable', allow_redirect: false });
}

async function fill(adapter: AdapterFactory): Promise<void> {
  // It may have been consumed, and stays so for as long as it is there.
  await adapter('RefreshToken').destroy('id');
  await adapter('Session').upsert('id', session, 60);
  for (const [model, payload] of Object.entries(OF_A_GRANT)) await adapter(model).upsert('id', payload, 60);
}

/** No event tells that a store is there again; that is only seen by asking. */
function recovers(act: () => Promise<unknown>): Promise<void> {
  const succeeds = (): Promise<boolean> =>
    act().then(
      () => true,
      () => false,
    );
  return eventually('the adapter does it again', succeeds);
}

describe('the adapter where Redis', () => {
  storesMayTake(GENEROUS);

  for (const [name, { begin, end, hangs = false, refused, done = {} }] of Object.entries(FAULTS)) {
    describe(name, () => {
      let redis: RedisServer;
      /** One for each act: what one has found out, the others do not know. */
      let keyvs: Keyv[];
      let factories: Map<string, AdapterFactory>;
      let late: AdapterFactory;

      before(async () => {
        redis = await RedisServer.start();
        const names = [...Object.keys(ALL), 'late'];
        keyvs = names.map((act) => redisKeyv(redis.url, act));
        factories = new Map(keyvs.map((keyv, index) => [names[index] ?? '', keyvAdapter(keyv)]));
        late = adapterFor('late');
        await Promise.all(Object.keys(ALL).map((act) => fill(adapterFor(act))));
        await begin(redis);
        setStorePatience(hangs ? SHORT : GENEROUS);
      });

      after(async () => {
        setStorePatience(GENEROUS);
        await Promise.all(keyvs?.map(cutOff) ?? []);
        await redis?.stop();
      });

      function adapterFor(act: string): AdapterFactory {
        const factory = factories.get(act);
        if (factory === undefined) throw new RangeError(`nobody is there to ${act}`);
        return factory;
      }

      it(`refuses to ${Object.keys(refused).join(', ')}`, async () => {
        const all = Object.entries(refused);
        await Promise.all(all.map(([act, run]) => expectRefused(() => run(adapterFor(act)))));
        // And again, now that it is known.
        await Promise.all(all.map(([act, run]) => expectRefused(() => run(adapterFor(act)))));
      });

      it('refuses where nobody has come through before', async () => {
        await expectRefused(() => late('Session').upsert('id', session, 60));
      });

      it('refuses where fifty ask at once', async () => {
        const adapter = adapterFor('upsert');
        const sessions = Array.from({ length: 50 }, (_, turn) => ({ ...session, jti: `${turn}` }));
        await Promise.all(
          sessions.map((payload) => expectRefused(() => adapter('Session').upsert(payload.jti, payload, 60))),
        );
      });

      it('refuses to write a record of any model', async () => {
        const adapter = adapterFor('upsert');
        const models = Object.entries(OF_EACH_MODEL);
        await Promise.all(
          models.map(([model, payload]) => expectRefused(() => adapter(model).upsert('new', payload, 60))),
        );
      });

      const still = Object.keys(done);
      if (still.length > 0) {
        it(`still does ${still.join(', ')}`, async () => {
          for (const [act, run] of Object.entries(READS)) expect(await run(adapterFor(act)), act).to.be.an('object');
          for (const [act, run] of Object.entries(done)) await run(adapterFor(act));
        });
      }

      it('does everything again right after that is over', async () => {
        await end(redis);
        setStorePatience(GENEROUS);
        await Promise.all(
          Object.entries(ALL).map(async ([act, run]) => {
            const adapter = adapterFor(act);
            await recovers(() => fill(adapter));
            await run(adapter);
          }),
        );
        await recovers(() => fill(late));
        for (const run of Object.values(ALL)) await run(late);
      });
    });
  }
});

describe('the adapter where a Keyv', () => {
  storesMayTake(GENEROUS);

  it(`never answers refuses to ${Object.keys(ALL).join(', ')}`, async () => {
    for (const run of Object.values(ALL)) {
      const backend = new HangingBackend();
      const adapter = keyvAdapter(keyvOver(backend));
      await fill(adapter);
      backend.hangs = true;
      await whileStoresMayTake(SHORT, () => expectRefused(() => run(adapter)));
      backend.hangs = false;
      expect(await adapter('Session').find('id')).to.deep.equal(session);
      await adapter('Session').upsert('other', { ...session, uid: 'other' }, 60);
      expect(await adapter('Session').findByUid('other')).to.be.an('object');
    }
  });

  for (const [act, run] of Object.entries(ALL)) {
    for (const throwsOnErrors of [true, false]) {
      const manner = throwsOnErrors ? '' : ', although it keeps errors to itself';
      it(`is out of reach refuses to ${act} at once${manner}`, async () => {
        const backend = new FlakyBackend();
        const adapter = keyvAdapter(keyvOver(backend, throwsOnErrors));
        await fill(adapter);
        backend.down = 'everything';
        await expectRefused(() => run(adapter));
        backend.down = 'nothing';
        await run(adapter);
      });
    }
  }

  it('cannot write says so, and keeps what it had', async () => {
    const backend = new FlakyBackend();
    const adapter = keyvAdapter(keyvOver(backend));
    await fill(adapter);
    backend.down = 'writes';
    await expectRefused(() => adapter('Session').upsert('id', { ...session, accountId: 'bob' }, 60));
    await expectRefused(() => adapter('AuthorizationCode').consume('id'));
    expect(await adapter('Session').find('id')).to.deep.equal(session);
    expect(await adapter('AuthorizationCode').find('id')).to.deep.equal(OF_A_GRANT.AuthorizationCode);
  });
});
