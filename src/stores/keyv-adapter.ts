import type { Keyv } from 'keyv';
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';
import { ExpirySweep } from './expiry-sweep.ts';
import { failLoudly, write } from './fail-loudly.ts';
import { KeyedMutex } from './keyed-mutex.ts';

/** Models whose records die when their grant is revoked. */
const GRANTABLE: ReadonlySet<string> = new Set([
  'AccessToken',
  'AuthorizationCode',
  'RefreshToken',
  'DeviceCode',
  'BackchannelAuthenticationRequest',
  'PreAuthorizedCode',
]);

/** The keys of a grant's records, each with the moment when it expires by itself (milliseconds; null: never). */
type GrantMembers = Record<string, number | null>;

/**
 * The records of `oidc-provider` in a Keyv, for one process: no limit on their number, nothing kept past its time.
 *
 * @example
 * const provider = new Provider(issuer, { adapter: keyvAdapter(new Keyv()) });
 */
export function keyvAdapter(keyv: Keyv): AdapterFactory {
  const records = new Records(keyv);
  return (model) => new KeyvAdapter(model, records);
}

class KeyvAdapter implements Adapter {
  readonly #model: string;
  readonly #records: Records;

  constructor(model: string, records: Records) {
    this.#model = model;
    this.#records = records;
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    const ttl = expiresIn === undefined ? undefined : expiresIn * 1000;
    const key = this.#key(id);
    // The grant first: a record that its grant does not know would survive the grant's revocation.
    if (GRANTABLE.has(this.#model) && payload.grantId) await this.#records.join(payload.grantId, key, ttl);
    await this.#records.set(key, payload, ttl);
    if (this.#model === 'Session' && payload.uid) await this.#records.set(uidKey(payload.uid), id, ttl);
    if (payload.userCode) await this.#records.set(userCodeKey(payload.userCode), id, ttl);
  }

  find(id: string): Promise<AdapterPayload | undefined> {
    return this.#records.get(this.#key(id));
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    const id = await this.#records.get<string>(uidKey(uid));
    return id === undefined ? undefined : this.find(id);
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    const id = await this.#records.get<string>(userCodeKey(userCode));
    return id === undefined ? undefined : this.find(id);
  }

  consume(id: string): Promise<void> {
    return this.#records.update<AdapterPayload>(this.#key(id), (payload) => ({
      ...payload,
      consumed: Math.floor(Date.now() / 1000),
    }));
  }

  async destroy(id: string): Promise<void> {
    const payload = await this.find(id);
    await this.#records.delete(this.#key(id));
    // A record that was written under another id since keeps the way to it.
    if (payload?.uid !== undefined) await this.#records.deleteIf(uidKey(payload.uid), id);
    if (payload?.userCode !== undefined) await this.#records.deleteIf(userCodeKey(payload.userCode), id);
  }

  revokeByGrantId(grantId: string): Promise<void> {
    return this.#records.dissolve(grantId);
  }

  #key(id: string): string {
    return `${this.#model}:${id}`;
  }
}

class Records {
  readonly #keyv: Keyv;
  readonly #mutex = new KeyedMutex();
  readonly #sweep: ExpirySweep;

  constructor(keyv: Keyv) {
    this.#keyv = failLoudly(keyv);
    this.#sweep = new ExpirySweep(keyv);
  }

  get<T>(key: string): Promise<T | undefined> {
    return this.#keyv.get<T>(key);
  }

  set(key: string, value: unknown, ttl: number | undefined): Promise<void> {
    return this.#mutex.run(key, () => this.#write(key, value, ttl));
  }

  delete(key: string): Promise<void> {
    return this.#mutex.run(key, () => this.#remove(key));
  }

  /** Deletes what is stored there only where it is this value. */
  deleteIf(key: string, value: string): Promise<void> {
    return this.#mutex.run(key, async () => {
      if ((await this.get(key)) === value) await this.#remove(key);
    });
  }

  /** Changes a record and leaves its time to live as it is; one that is gone stays gone. */
  update<T>(key: string, change: (value: T) => T): Promise<void> {
    return this.#mutex.run(key, async () => {
      const stored = await this.#keyv.get<T>(key, { raw: true });
      if (stored?.value === undefined) return;
      const ttl = typeof stored.expires === 'number' ? Math.max(1, stored.expires - Date.now()) : undefined;
      await this.#write(key, change(stored.value), ttl);
    });
  }

  /** Adds a record to its grant. */
  join(grantId: string, key: string, ttl: number | undefined): Promise<void> {
    const grant = grantKey(grantId);
    return this.#mutex.run(grant, async () => {
      const now = Date.now();
      const members = Object.entries((await this.get<GrantMembers>(grant)) ?? {});
      const alive: GrantMembers = Object.fromEntries(members.filter(([, until]) => until === null || until > now));
      alive[key] = ttl === undefined ? null : now + ttl;
      const ends = Object.values(alive);
      await this.#write(grant, alive, ends.includes(null) ? undefined : Math.max(...ends.map(Number)) - now);
    });
  }

  /** Deletes a grant's records and what is known of them. */
  dissolve(grantId: string): Promise<void> {
    const grant = grantKey(grantId);
    return this.#mutex.run(grant, async () => {
      const members = Object.keys((await this.get<GrantMembers>(grant)) ?? {});
      for (const key of members) await this.delete(key);
      await this.#remove(grant);
    });
  }

  async #remove(key: string): Promise<void> {
    await this.#keyv.delete(key);
    this.#sweep.forget(key);
  }

  async #write(key: string, value: unknown, ttl: number | undefined): Promise<void> {
    // To Keyv, no time left means no end.
    const left = ttl === undefined ? undefined : Math.max(1, ttl);
    await write(this.#keyv, key, value, left);
    if (left !== undefined) this.#sweep.watch(key, left);
  }
}

function uidKey(uid: string): string {
  return `uid:${uid}`;
}

function userCodeKey(userCode: string): string {
  return `userCode:${userCode}`;
}

function grantKey(grantId: string): string {
  return `grant:${grantId}`;
}
