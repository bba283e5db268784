import { expect } from 'chai';
import type { Keyv } from 'keyv';
import { type AdapterFactory, errors } from 'oidc-provider';
import { keyvAdapter } from '../../src/stores/adapter/keyv-adapter.ts';
import { setStorePatience } from '../../src/stores/deadline.ts';
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

/** Operations that need memory. */
const ADDITIONS: typeof READS = {
  upsert: (adapter) => adapter('Session').upsert('id', session, 60),
  consume: (adapter) => adapter('RefreshToken').consume('id'),
  'find a proof': (adapter) => adapter('ReplayDetection').find('id'),
};

const REMOVALS: typeof READS = {
  destroy: (adapter) => adapter('DeviceCode').destroy('id'),
  revokeByGrantId: (adapter) => adapter('AuthorizationCode').revokeByGrantId('grant'),
  'destroy a grant': (adapter) => adapter('Grant').destroy('another grant'),
};

const ALL = { ...READS, ...ADDITIONS, ...REMOVALS };

interface Fault {
  readonly begin: (redis: RedisServer) => Promise<unknown>;
  readonly end: (redis: RedisServer) => Promise<unknown>;
  /** True if Redis gives no answer, so that an operation fails only after its time-out. */
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

/** Expects an error that oidc-provider turns into an answer with status 503. */
async function expectRefused(act: () => Promise<unknown>): Promise<void> {
  const reason: unknown = await act().then(
    () => undefined,
    (refusal: unknown) => refusal,
  );
  expect(reason).to.be.instanceOf(errors.OIDCProviderError);
  expect(reason).to.include({ status: 503, statusCode: 503, error: 'temporarily_unavailable', allow_redirect: false });
}

async function fill(adapter: AdapterFactory): Promise<void> {
  // Destroy the record first: a test may have consumed it, and it would stay consumed.
  await adapter('RefreshToken').destroy('id');
  await adapter('Session').upsert('id', session, 60);
  for (const [model, payload] of Object.entries(OF_A_GRANT)) await adapter(model).upsert('id', payload, 60);
}

/** Waits until an operation succeeds. The function polls, because there is no event for that. */
function untilRecovered(act: () => Promise<unknown>): Promise<void> {
  const succeeds = (): Promise<boolean> =>
    act().then(
      () => true,
      () => false,
    );
  return eventually('the adapter works again', succeeds);
}

describe('the adapter, if Redis', () => {
  storesMayTake(GENEROUS);

  for (const [name, { begin, end, hangs = false, refused, done = {} }] of Object.entries(FAULTS)) {
    describe(name, () => {
      let redis: RedisServer;
      /** Each operation has its own adapter, so that no adapter knows of the fault from another operation. */
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
        if (factory === undefined) throw new RangeError(`there is no adapter for ${act}`);
        return factory;
      }

      it(`refuses to ${Object.keys(refused).join(', ')}`, async () => {
        const all = Object.entries(refused);
        await Promise.all(all.map(([act, run]) => expectRefused(() => run(adapterFor(act)))));
        // Try again now that the adapter knows of the fault.
        await Promise.all(all.map(([act, run]) => expectRefused(() => run(adapterFor(act)))));
      });

      it('refuses the first request of an adapter that was not used before the fault', async () => {
        await expectRefused(() => late('Session').upsert('id', session, 60));
      });

      it('refuses fifty concurrent requests', async () => {
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

      it('works again as soon as the fault is over', async () => {
        await end(redis);
        setStorePatience(GENEROUS);
        await Promise.all(
          Object.entries(ALL).map(async ([act, run]) => {
            const adapter = adapterFor(act);
            await untilRecovered(() => fill(adapter));
            await run(adapter);
          }),
        );
        await untilRecovered(() => fill(late));
        for (const run of Object.values(ALL)) await run(late);
      });
    });
  }
});

describe('the adapter, if a Keyv', () => {
  storesMayTake(GENEROUS);

  it(`never answers, refuses to ${Object.keys(ALL).join(', ')}`, async () => {
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
      const suffix = throwsOnErrors ? '' : ', also with throwOnErrors: false';
      it(`fails, refuses to ${act} immediately${suffix}`, async () => {
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

  it('cannot write, refuses to write, and keeps the old records', async () => {
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
