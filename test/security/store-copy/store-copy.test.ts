/**
 * Row 32 of the table in docs/security.md: a copy of the store gives no access. Every string in it is tried as every
 * kind of credential.
 */
import { expect } from 'chai';
import { Keyv } from 'keyv';
import type { AdapterFactory } from 'oidc-provider';
import { keyvAdapter } from '../../../src/index.ts';
import { COOKIE_KEYS } from '../../fixtures/secrets.ts';
import { cutOff, redisKeyv } from '../../stores/adapter/backends.ts';
import { earlierAdapter } from '../../stores/adapter/earlier-adapter.ts';
import { OF_A_GRANT, OF_EACH_MODEL } from '../../stores/adapter/payloads.ts';
import { GENEROUS, storesMayTake } from '../../stores/patience.ts';
import { inFullSuite } from '../../support/full-suite.ts';
import { RedisServer } from '../../support/redis.ts';
import { World } from '../../support/world.ts';
import { copyOfKeyv, copyOfRedis, keysOf, type StoreCopy, stringsIn } from './copy.ts';
import { acceptedOf, OVER_HTTP, type StoreTheft, withCookies } from './credentials.ts';
import { fill, OPTIONS } from './filled.ts';

/** A model of which oidc-provider itself writes no record, because only a deployment can issue such codes. */
const NEVER_WRITTEN = 'PreAuthorizedCode';
const MODELS = Object.keys(OF_EACH_MODEL).filter((model) => model !== NEVER_WRITTEN);

/**
 * Matches the plugin's own keys. They contain uids of interactions and sessions, from which a thief who also has the
 * signing keys can make cookies. So no safety is claimed if a thief has both: strings of the whole store are tried in
 * unsigned cookies, and strings of oidc-provider's own records in signed ones.
 */
const OF_THE_PLUGIN = /(^|:)(qr|ticket|interaction|browsers|known|note|limit|passkeys):/;

type AdapterOf = (store: Keyv) => AdapterFactory;
type Scene = (copy: StoreCopy, site: StoreTheft) => Promise<void>;

const sealing: AdapterOf = (store) => keyvAdapter(store, { secrets: COOKIE_KEYS });
const withoutSecrets: AdapterOf = (store) => keyvAdapter(store);
const earlier: AdapterOf = (store) => earlierAdapter(store, (model) => model in OF_A_GRANT);

async function inWorld(adapterOf: AdapterOf, store: Keyv, copy: () => Promise<StoreCopy>, act: Scene): Promise<void> {
  const configuration = { ...OPTIONS.configuration, adapter: adapterOf(store) };
  await World.during({ ...OPTIONS, store, configuration }, async (world) => {
    const filled = await fill(world);
    await act(await copy(), { world, ...filled });
  });
}

async function inRedis(adapterOf: AdapterOf, act: Scene): Promise<void> {
  const redis = await RedisServer.start();
  const store = redisKeyv(redis.url, 'keyv');
  try {
    await inWorld(adapterOf, store, () => copyOfRedis(redis), act);
  } finally {
    await cutOff(store);
    await redis.stop();
  }
}

function inMemory(adapterOf: AdapterOf, act: Scene): Promise<void> {
  const store = new Keyv();
  return inWorld(adapterOf, store, () => copyOfKeyv(store), act);
}

function modelsIn(copy: StoreCopy): string[] {
  return MODELS.filter((model) => [...copy.keys()].some((key) => new RegExp(`(^|:)${model}[:#]`).test(key)));
}

/** Tries everything in the copy. @returns the credentials that the server has accepted */
async function stolenFrom(copy: StoreCopy, site: StoreTheft): Promise<string[]> {
  expect(modelsIn(copy), 'the models with a record').to.deep.equal(MODELS);
  const records = keysOf(copy, (key) => !OF_THE_PLUGIN.test(key));
  expect(records.size, 'the keys that are not the plugin’s').to.be.within(MODELS.length, copy.size - 1);
  return [
    ...(await acceptedOf(site, stringsIn(copy), withCookies(false))),
    ...(await acceptedOf(site, stringsIn(records), withCookies(true))),
    ...(await acceptedOf(site, stringsIn(copy), OVER_HTTP)),
  ];
}

describe('row 32: a copy of the store, with records of every model,', () => {
  storesMayTake(GENEROUS);

  const settings: Record<string, (act: Scene) => Promise<void>> = {
    'Redis, keyvAdapter with `secrets`': (act) => inRedis(sealing, act),
    // Without `secrets`, records with guessable ids can still be decrypted (decision 0039). This test only tries the
    // strings as they are stored.
    'Redis, keyvAdapter without `secrets`': (act) => inRedis(withoutSecrets, act),
    'Keyv in memory, keyvAdapter with `secrets`': (act) => inMemory(sealing, act),
  };

  for (const [name, run] of Object.entries(settings)) {
    it(`gives no credential that works: ${name}`, async () => {
      await run(async (copy, site) => {
        expect(await stolenFrom(copy, site)).to.deep.equal([]);
      });
    });
  }

  inFullSuite(() => {
    it('gives credentials of every kind if ids and payloads are in plain text', async () => {
      await inRedis(earlier, async (copy, site) => {
        const all = [...Object.keys(withCookies(true)), ...Object.keys(OVER_HTTP)];
        expect(await stolenFrom(copy, site)).to.have.members(all);
      });
    });
  });
});
