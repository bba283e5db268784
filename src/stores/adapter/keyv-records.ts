import type { Keyv } from 'keyv';
import type { AdapterPayload } from 'oidc-provider';
import { Access } from '../access.ts';
import { sweepExpired } from '../memory/expiry-sweep.ts';
import { KeyedMutex } from '../memory/keyed-mutex.ts';
import { type StoredValue, type Values, valuesOf } from '../memory/values.ts';
import { GRANT_CLOSED_MS, type Records } from './records.ts';

/**
 * The keys of a grant's records, each with its expiry time (milliseconds since the epoch; null: never). A closed grant
 * also has {@link CLOSED}, with the time until which it stays closed.
 */
type GrantMembers = Record<string, number | null>;

/** A member that is no record: the name of a record has a hash sign or a colon. */
const CLOSED = 'closed';

/** The exchange that has claimed a record, and the end of its claim in milliseconds since the epoch. */
interface Claim {
  readonly id: string;
  readonly ends: number;
  /** True if this exchange has consumed the record. */
  readonly isFinished?: true;
}

/** The time for which a claim is kept after its record was consumed, in milliseconds: it may still be given back. */
const FINISHED_CLAIM_MS = 60_000;

/**
 * Records in any Keyv, for one process. Keyv has no atomic read-and-write, so a mutex for each key keeps the steps of
 * this process apart.
 */
export class KeyvRecords implements Records {
  readonly #values: Values;
  readonly #access: Access;
  readonly #mutex: KeyedMutex;

  constructor(keyv: Keyv) {
    this.#values = valuesOf(keyv);
    this.#access = new Access(this.#values.engine, this.#values.patience);
    this.#mutex = new KeyedMutex(this.#values.patience);
    sweepExpired(keyv);
  }

  put(key: string, payload: AdapterPayload, ttl: number | undefined, grantId: string | undefined): Promise<void> {
    const save = (): Promise<void> => this.#step('upsert', key, () => this.#save(key, payload, ttl));
    if (grantId === undefined) return save();
    // In the turn of the grant, so that it is not revoked in between. A record that is missing from its grant would
    // survive the grant's revocation.
    return this.#step('upsert', grantKey(grantId), async () => {
      if (await this.#join(grantId, key, ttl)) await save();
      else await this.take(key);
    });
  }

  get(key: string): Promise<AdapterPayload | undefined> {
    return this.#access.make('find', () => this.#values.get<AdapterPayload>(key));
  }

  consume(key: string, now: number, by?: string): Promise<boolean> {
    return this.#step('consume', key, async () => {
      const stored = await this.#values.getWithExpiry<AdapterPayload>(key);
      if (stored === undefined) return false;
      if (stored.value.consumed !== undefined) return by !== undefined && stored.value.consumedBy === by;
      const consumption = { consumed: now, ...(by !== undefined && { consumedBy: by }) };
      await this.#write(key, { ...stored.value, ...consumption }, timeLeft(stored));
      return true;
    });
  }

  reserve(key: string, ttl: number): Promise<boolean> {
    return this.#step('find', key, async () => {
      if ((await this.#values.get(key)) !== undefined) return false;
      await this.#write(key, {}, ttl);
      return true;
    });
  }

  claim(key: string, id: string, lasts: number): Promise<'claimed' | 'busy' | 'refused'> {
    return this.#step('claim', key, async () => {
      const stored = await this.#values.getWithExpiry<AdapterPayload>(key);
      if (stored === undefined || stored.value.consumed !== undefined) return 'refused';
      const before = await this.#values.get<Claim>(claimKey(key));
      const now = Date.now();
      if (before !== undefined && before.id !== id && before.ends > now) return 'busy';
      await this.#write(claimKey(key), { id, ends: now + lasts } satisfies Claim, lasts + FINISHED_CLAIM_MS);
      // A record that expires in the middle of its exchange would not show whether it was consumed.
      if (typeof stored.expires === 'number' && stored.expires < now + lasts)
        await this.#write(key, stored.value, lasts);
      return 'claimed';
    });
  }

  finish(key: string, id: string, now: number): Promise<boolean> {
    return this.#step('finish', key, async () => {
      const stored = await this.#values.getWithExpiry<AdapterPayload>(key);
      if (stored === undefined) return true;
      const claim = await this.#values.get<Claim>(claimKey(key));
      if (claim?.id !== id) return false;
      if (stored.value.consumed !== undefined) return claim.isFinished === true;
      // First the claim: a record that is consumed without it could not be given back.
      await this.#write(claimKey(key), { ...claim, isFinished: true } satisfies Claim, FINISHED_CLAIM_MS);
      await this.#write(key, { ...stored.value, consumed: now }, timeLeft(stored));
      return true;
    });
  }

  release(key: string, id: string): Promise<void> {
    return this.#step('release', key, async () => {
      const claim = await this.#values.get<Claim>(claimKey(key));
      if (claim?.id !== id) return;
      const stored = await this.#values.getWithExpiry<AdapterPayload>(key);
      if (claim.isFinished && stored?.value.consumed !== undefined) {
        const { consumed: _, ...unconsumed } = stored.value;
        await this.#write(key, unconsumed, timeLeft(stored));
      }
      await this.#remove(claimKey(key));
    });
  }

  take(key: string): Promise<AdapterPayload | undefined> {
    return this.#step('destroy', key, async () => {
      const payload = await this.#values.get<AdapterPayload>(key);
      await this.#remove(key);
      return payload;
    });
  }

  revoke(grantId: string): Promise<void> {
    return this.#step('revoke', grantKey(grantId), () => this.#deleteMembers(grantId));
  }

  close(grantId: string): Promise<void> {
    return this.#step('revoke', grantKey(grantId), async () => {
      const members = await this.#members(grantId);
      await this.#writeMembers(grantId, { ...members, [CLOSED]: Date.now() + GRANT_CLOSED_MS });
      await this.#deleteMembers(grantId);
    });
  }

  point(from: string, id: string, ttl: number | undefined): Promise<void> {
    return this.#step('upsert', from, () => this.#write(from, id, ttl));
  }

  follow(from: string): Promise<string | undefined> {
    return this.#access.make('find', () => this.#values.get<string>(from));
  }

  unpoint(from: string, id: string): Promise<void> {
    return this.#step('destroy', from, async () => {
      if ((await this.#values.get(from)) === id) await this.#remove(from);
    });
  }

  /** Adds a record to its grant. Runs in the turn of the grant. @returns false if the grant is closed */
  async #join(grantId: string, key: string, ttl: number | undefined): Promise<boolean> {
    const members = await this.#members(grantId);
    if (members[CLOSED] !== undefined) return false;
    await this.#writeMembers(grantId, { ...members, [key]: ttl === undefined ? null : Date.now() + ttl });
    return true;
  }

  /** Deletes the records of a grant, but leaves it closed. Runs in the turn of the grant. */
  async #deleteMembers(grantId: string): Promise<void> {
    const { [CLOSED]: closed, ...records } = await this.#members(grantId);
    for (const key of Object.keys(records)) await this.take(key);
    if (closed === undefined) await this.#remove(grantKey(grantId));
    else await this.#writeMembers(grantId, { [CLOSED]: closed });
  }

  /** Returns the members of a grant that have not expired. */
  async #members(grantId: string): Promise<GrantMembers> {
    const now = Date.now();
    const members = Object.entries((await this.#values.get<GrantMembers>(grantKey(grantId))) ?? {});
    return Object.fromEntries(members.filter(([, until]) => until === null || until > now));
  }

  /** Writes the members of a grant, which expires with the last of them. */
  async #writeMembers(grantId: string, members: GrantMembers): Promise<void> {
    const ends = Object.values(members);
    const ttl = ends.includes(null) ? undefined : Math.max(...ends.map(Number)) - Date.now();
    await this.#write(grantKey(grantId), members, ttl);
  }

  async #save(key: string, payload: AdapterPayload, ttl: number | undefined): Promise<void> {
    const before = await this.#values.get<AdapterPayload>(key);
    await this.#write(key, before?.consumed === undefined ? payload : { ...payload, consumed: before.consumed }, ttl);
  }

  #step<T>(operation: string, key: string, task: () => Promise<T>): Promise<T> {
    return this.#access.make(operation, () => this.#mutex.run(key, task));
  }

  async #remove(key: string): Promise<void> {
    await this.#values.delete(key);
  }

  async #write(key: string, value: unknown, ttl: number | undefined): Promise<void> {
    // Keyv takes a time to live of 0 as "never expires".
    const left = ttl === undefined ? undefined : Math.max(1, ttl);
    await this.#values.set(key, value, left);
  }
}

function timeLeft({ expires }: StoredValue<unknown>): number | undefined {
  return typeof expires === 'number' ? expires - Date.now() : undefined;
}

function claimKey(key: string): string {
  return `claim:${key}`;
}

function grantKey(grantId: string): string {
  return `grant:${grantId}`;
}
