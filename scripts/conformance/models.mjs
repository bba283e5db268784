/** Stands in for `test/models.js` of oidc-provider's tests: its accounts, and our adapter instead of theirs. */
import { strict as assert } from 'node:assert';
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import { keyvAdapter } from '../../src/stores/adapter/keyv-adapter.ts';

const { CONFORMANCE_CHECKOUT, CONFORMANCE_REDIS_URL } = process.env;

// The query `?theirs` lets this import through the hook in hooks.mjs, which would otherwise lead it to this file.
export const { Account } = await import(new URL('test/models.js?theirs', CONFORMANCE_CHECKOUT).href);

/** The models whose records have no `exp`. */
const WITHOUT_END = new Set(['RegistrationAccessToken', 'InitialAccessToken', 'Client', 'Grant']);
const SECRET = 'a secret of oidc-provider tests, 32 characters and more';

const redis = CONFORMANCE_REDIS_URL === undefined ? undefined : new KeyvRedis(CONFORMANCE_REDIS_URL);
const keyv = new Keyv(redis === undefined ? {} : { store: redis });
const makeAdapter = keyvAdapter(keyv, { secrets: [SECRET] });
const adapters = new Map();

/**
 * The records as the store has them, for the tests that look at one without waiting. They are read from the store again
 * after each change, so that they show what the adapter made of them.
 */
const seen = new Map();

/** The keys of records that a test has got from `syncFind`. Their adapter lets the test change these in place. */
const lent = new Map();

/** The writes that are under way. */
const writing = new Set();

/** The last removal of all records, which a test does not wait for. */
let cleared = Promise.resolve();

export class TestAdapter {
  constructor(model) {
    // biome-ignore lint/correctness/noConstructorReturn: oidc-provider's tests spy on one instance of each model
    if (adapters.has(model)) return adapters.get(model);
    this.model = model;
    this.adapter = makeAdapter(model);
    adapters.set(model, this);
  }

  static for(model) {
    return new TestAdapter(model);
  }

  static clear() {
    seen.clear();
    lent.clear();
    // Keyv does not know the adapter's keys in Redis.
    cleared = cleared.then(() => redis?.client.flushDb() ?? keyv.clear());
  }

  get(model) {
    return TestAdapter.for(model);
  }

  clear() {
    TestAdapter.clear();
  }

  /** The keys and records, for the one test that writes there. */
  get store() {
    return {
      set: (key, payload) => {
        const [model, id] = key.split(':');
        seen.set(key, { model, id, payload });
        lent.set(key, undefined);
      },
    };
  }

  syncFind(id) {
    const key = this.key(id);
    const record = seen.get(key);
    if (record !== undefined && !lent.has(key)) lent.set(key, JSON.stringify(record.payload));
    return record?.payload;
  }

  syncUpdate(id, update) {
    Object.assign(this.syncFind(id) ?? {}, update);
  }

  key(id) {
    return `${this.model}:${id}`;
  }

  async upsert(id, payload, expiresIn) {
    if (!WITHOUT_END.has(this.model)) {
      assert.ok(Number.isFinite(payload.exp), 'exp');
      assert.ok(Math.abs(payload.exp - expiresIn - Math.floor(Date.now() / 1000)) <= 1, 'exp');
    }
    // Set the record at once: some tests look at it without waiting until it is saved.
    seen.set(this.key(id), { model: this.model, id, payload: { ...payload }, expiresIn });
    lent.delete(this.key(id));
    const written = this.#write(id, payload, expiresIn);
    writing.add(written);
    await written.finally(() => writing.delete(written));
  }

  async #write(id, payload, expiresIn) {
    await writeChanges();
    await this.adapter.upsert(id, payload, expiresIn);
    await this.#lookAgain(id);
  }

  async find(id) {
    await settle();
    return this.adapter.find(id);
  }

  async findByUid(uid) {
    await settle();
    return this.adapter.findByUid(uid);
  }

  async findByUserCode(userCode) {
    await settle();
    return this.adapter.findByUserCode(userCode);
  }

  async consume(id) {
    await settle();
    try {
      await this.adapter.consume(id);
    } finally {
      await lookAtAll();
    }
  }

  async destroy(id) {
    await settle();
    await this.adapter.destroy(id);
    await lookAtAll();
  }

  async revokeByGrantId(grantId) {
    await settle();
    await this.adapter.revokeByGrantId(grantId);
    await lookAtAll();
  }

  /** Reads a record again. The object stays the same, because a test may have it. */
  async #lookAgain(id) {
    // Reading a proof would reserve it.
    if (this.model === 'ReplayDetection') return;
    const key = this.key(id);
    const record = seen.get(key);
    const payload = await this.adapter.find(id);
    if (payload === undefined) {
      seen.delete(key);
      lent.delete(key);
    } else if (record !== undefined && !isChanged(key, record)) {
      for (const name of Object.keys(record.payload)) if (!(name in payload)) delete record.payload[name];
      Object.assign(record.payload, payload);
      if (lent.has(key)) lent.set(key, JSON.stringify(record.payload));
    }
  }

  static async lookAtAll() {
    await Promise.all([...seen.values()].map(({ model, id }) => TestAdapter.for(model).#lookAgain(id)));
  }
}

const { lookAtAll } = TestAdapter;

/** Returns true if a test has changed this record in place since it was written. */
function isChanged(key, { payload }) {
  return lent.has(key) && lent.get(key) !== JSON.stringify(payload);
}

/** Waits for the writes of tests that do not wait themselves. */
async function settle() {
  await Promise.allSettled(writing);
  await writeChanges();
}

/** Writes the records that a test has changed in place. */
async function writeChanges() {
  await cleared;
  for (const key of lent.keys()) {
    const { model, id, payload, expiresIn } = seen.get(key);
    if (!isChanged(key, { payload })) continue;
    lent.set(key, JSON.stringify(payload));
    await TestAdapter.for(model).adapter.upsert(id, payload, expiresIn);
  }
}
