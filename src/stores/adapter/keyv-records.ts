import type { Keyv } from 'keyv';
import type { AdapterPayload } from 'oidc-provider';
import { Access } from '../access.ts';
import { sweepExpired } from '../memory/expiry-sweep.ts';
import { KeyedMutex } from '../memory/keyed-mutex.ts';
import { type StoredValue, type Values, valuesOf } from '../memory/values.ts';
import { GrantMembers } from './grant-members.ts';
import type { Records } from './records.ts';

/** The exchange that has claimed a record, and the end of its claim in milliseconds since the epoch. */
interface Claim {
  readonly id: string;
  readonly ends: number;
  /** True if this exchange has consumed the record. */
  readonly isFinished?: true;
}

/** The time for which a claim is kept after its record was consumed, so that the record can still be given back. */
const FINISHED_CLAIM_MS = 60_000;

/**
 * Records in any Keyv, for one process. Keyv has no atomic read-and-write, so a mutex for each key keeps the steps of
 * this process apart.
 */
export class KeyvRecords implements Records {
  readonly #values: Values;
  readonly #access: Access;
  readonly #mutex: KeyedMutex;
  readonly #grants: GrantMembers;

  constructor(keyv: Keyv) {
    this.#values = valuesOf(keyv);
    this.#access = new Access(this.#values.engine, this.#values.patience);
    this.#mutex = new KeyedMutex(this.#values.patience);
    this.#grants = new GrantMembers(this.#values);
    sweepExpired(keyv);
  }

  put(key: string, payload: AdapterPayload, ttl: number | undefined, grantId: string | undefined): Promise<void> {
    const save = (): Promise<void> => this.#step('upsert', key, () => this.#save(key, payload, ttl));
    if (grantId === undefined) return save();
    // Take the mutex of the grant as well, so that the grant is not revoked between the two writes. A record that is
    // missing from its grant would survive the grant's revocation.
    return this.#step('upsert', grantTurn(grantId), async () => {
      if (await this.#grants.add(grantId, key, ttl)) await save();
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
      // Write the claim first: a record that is consumed without a claim could not be given back.
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
    return this.#inTurnOf(grantId, () => this.#deleteMembers(grantId));
  }

  close(grantId: string): Promise<void> {
    return this.#inTurnOf(grantId, async () => {
      await this.#grants.close(grantId);
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

  #inTurnOf(grantId: string, task: () => Promise<void>): Promise<void> {
    return this.#step('revoke', grantTurn(grantId), task);
  }

  #deleteMembers(grantId: string): Promise<void> {
    return this.#grants.removeAll(grantId, (key) => this.take(key));
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

/** Returns the mutex key of a grant, which differs from the keys of all records. */
function grantTurn(grantId: string): string {
  return `grant:${grantId}`;
}
