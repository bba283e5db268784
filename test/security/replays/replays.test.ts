import { expect } from 'chai';
import { Keyv } from 'keyv';
import { keyvAdapter } from '../../../src/stores/adapter/keyv-adapter.ts';
import { KeyvRecords } from '../../../src/stores/adapter/keyv-records.ts';
import type { Records } from '../../../src/stores/adapter/records.ts';
import { RedisRecords } from '../../../src/stores/adapter/redis-records.ts';
import { AdapterSite } from '../../reliability/adapter-site.ts';
import { redisKeyv } from '../../stores/adapter/backends.ts';
import { keyvOver, RemoteBackend } from '../../stores/memory/keyv-stores.ts';
import { GENEROUS, storesMayTake } from '../../stores/patience.ts';
import { sizeOfSuite } from '../../support/full-suite.ts';
import { RedisServer } from '../../support/redis.ts';
import { registerSides, replacing, type Weakness, whilePatched } from '../attack.ts';
import { all } from '../weaknesses.ts';
import { acceptedOf, PROOFS, RACES, usesOfPushedRequest } from './races.ts';

const AT_ONCE = sizeOfSuite({ short: 20, full: 50 });
const ROUNDS = sizeOfSuite({ short: 2, full: 10 });
/** A weak server loses at least one of these races, even on a busy machine. */
const WEAK_ROUNDS = 30;

/**
 * Returns a lookup that does not claim the proof, as with an adapter that has only `find` and `upsert`. The first
 * lookup of a proof ends after the second one has begun, so that they always race.
 */
function lookOnly(): Records['reserve'] {
  const second = new Map<string, () => void>();
  return async function (this: Records, key) {
    const isUnknown = (await this.get(key)) === undefined;
    const release = second.get(key);
    if (release === undefined) await new Promise<void>((resolve) => second.set(key, resolve));
    else release();
    return isUnknown;
  };
}

const findThenSave: Weakness = {
  defence: 'a lookup that claims the proof',
  patch: all(
    replacing(RedisRecords.prototype, 'reserve', lookOnly),
    replacing(KeyvRecords.prototype, 'reserve', lookOnly),
  ),
};

const keptGrant: Weakness = {
  defence: 'a revocation of the grant by the second of two concurrent requests',
  patch: replacing(Object.getPrototypeOf(keyvAdapter(new Keyv())('Grant')), 'destroy', () => async () => undefined),
};

const repeatedConsumption: Weakness = {
  defence: 'a pushed request that is consumed once',
  patch: all(
    replacing(RedisRecords.prototype, 'consume', () => async () => true),
    replacing(KeyvRecords.prototype, 'consume', () => async () => true),
  ),
};

/**
 * Not a missing defence: simulates that another request consumes each record between this request's read and its
 * consumption.
 */
const anotherIsFaster: Pick<Weakness, 'patch'> = {
  patch: all(
    replacing(RedisRecords.prototype, 'consume', () => async () => false),
    replacing(KeyvRecords.prototype, 'consume', () => async () => false),
    replacing(RedisRecords.prototype, 'claim', () => async () => 'refused'),
    replacing(KeyvRecords.prototype, 'claim', () => async () => 'refused'),
  ),
};

interface Setting {
  readonly name: string;
  readonly start: () => Promise<RunningSite>;
  /**
   * True if requests come between a read of the store and the write after it, so that a weak server loses the races.
   */
  readonly interleaves: boolean;
}

const SETTINGS: readonly Setting[] = [
  { name: 'one node in memory', start: () => onOneNode(new Keyv()), interleaves: false },
  {
    name: 'one node with a Keyv behind a network',
    start: () => onOneNode(keyvOver(new RemoteBackend())),
    interleaves: true,
  },
  { name: 'two nodes on one Redis', start: onRedis, interleaves: true },
];

for (const { name, start, interleaves } of SETTINGS) {
  const register = interleaves
    ? registerSides
    : (title: string, { fails }: Parameters<typeof registerSides>[1]) => void it(`${title} – fails`, fails);

  describe(`replays at ${name}`, () => {
    let site: AdapterSite;
    let stop: () => Promise<void>;

    storesMayTake(GENEROUS);

    before(async () => {
      ({ site, stop } = await start());
    });

    after(() => stop?.());

    for (const [proof, obtain] of Object.entries(PROOFS)) {
      register(`row 36: ${proof}, sent ${AT_ONCE} times at once, is accepted more than once`, {
        lacks: findThenSave.defence,
        succeeds: async () => {
          const send = await obtain(site);
          const accepted = await whilePatched(findThenSave, () => acceptedOf(site, AT_ONCE, send));
          expect(accepted).to.have.length.greaterThan(1);
        },
        fails: async () => {
          const send = await obtain(site);
          expect(await acceptedOf(site, AT_ONCE, send)).to.have.length(1);
          expect(await acceptedOf(site, 1, send)).to.have.length(0);
        },
      });
    }

    for (const [record, race] of Object.entries(RACES)) {
      register(`row 37: ${record}, sent twice at once, leaves tokens that work`, {
        lacks: keptGrant.defence,
        succeeds: () =>
          whilePatched(keptGrant, async () => {
            expect(await findLostRace(race)).to.be.greaterThan(0);
          }),
        fails: async () => {
          for (let round = 0; round < ROUNDS; round++) {
            expect(await race(site), `round ${round}`).to.deep.equal([]);
          }
        },
      });
    }

    register(`row 37: a pushed request, sent ${AT_ONCE} times at once, gets more than one authorization code`, {
      lacks: repeatedConsumption.defence,
      succeeds: () =>
        whilePatched(repeatedConsumption, async () => {
          expect(await usesOfPushedRequest(site, AT_ONCE)).to.be.greaterThan(1);
        }),
      fails: async () => {
        expect(await usesOfPushedRequest(site, AT_ONCE)).to.equal(1);
      },
    });

    it('emits grant.revoked for an authorization code that was sent twice at the same time', async () => {
      const visitor = site.visitor();
      await visitor.signIn();
      const code = await visitor.code();
      const revoked: string[] = [];
      site.provider(0).on('grant.revoked', (_ctx, grantId) => revoked.push(grantId));
      const { status } = await whilePatched(anotherIsFaster, () => site.redeem(0, code));
      expect(status).to.equal(400);
      expect(revoked).to.have.length(1);
    });

    /** Runs races on a weak server until one leaves tokens that work. @returns the number of that race; 0 if none */
    async function findLostRace(race: (site: AdapterSite) => Promise<readonly string[]>): Promise<number> {
      for (let round = 0; round < WEAK_ROUNDS; round++) if ((await race(site)).length > 0) return round + 1;
      return 0;
    }
  });
}

interface RunningSite {
  readonly site: AdapterSite;
  readonly stop: () => Promise<void>;
}

async function onOneNode(store: Keyv): Promise<RunningSite> {
  const site = await AdapterSite.start(store);
  return { site, stop: () => site.stop() };
}

async function onRedis(): Promise<RunningSite> {
  const redis = await RedisServer.start();
  const stores = [redisKeyv(redis.url, 'replays'), redisKeyv(redis.url, 'replays')];
  const site = await AdapterSite.start(...stores);
  const stop = async (): Promise<void> => {
    await site.stop();
    await Promise.all(stores.map((store) => store.disconnect()));
    await redis.stop();
  };
  return { site, stop };
}
