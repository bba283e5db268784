import type { Keyv } from 'keyv';
import type { Clock } from '../../ticket/ports.ts';
import { hasRoom, type PendingRequest, type PendingRequests } from '../../ticket/requests/pending-request.ts';
import { Access } from '../access.ts';
import { KeyedMutex } from './keyed-mutex.ts';
import { type Values, valuesOf } from './values.ts';

/**
 * Pending requests in any Keyv. A mutex for each account makes a read and the write after it one step, but only within
 * this process.
 */
export class KeyvPendingRequests implements PendingRequests {
  readonly #values: Values;
  readonly #clock: Clock;
  readonly #access: Access;
  readonly #mutex: KeyedMutex;

  constructor(keyv: Keyv, clock: Clock) {
    this.#values = valuesOf(keyv);
    this.#clock = clock;
    this.#access = new Access(this.#values.engine, this.#values.patience);
    this.#mutex = new KeyedMutex(this.#values.patience);
  }

  add(accountId: string, request: PendingRequest): Promise<boolean> {
    return this.#step('put', accountId, async () => {
      const list = await this.#read(accountId);
      if (!hasRoom(list, request)) return false;
      await this.#write(accountId, [...list, request]);
      return true;
    });
  }

  list(accountId: string): Promise<readonly PendingRequest[]> {
    return this.#access.make('find', () => this.#read(accountId));
  }

  remove(accountId: string, id: string): Promise<void> {
    return this.#step('remove', accountId, async () => {
      const list = await this.#read(accountId);
      const remaining = list.filter((request) => request.id !== id);
      if (remaining.length < list.length) await this.#write(accountId, remaining);
    });
  }

  #step<T>(operation: string, accountId: string, task: () => Promise<T>): Promise<T> {
    return this.#access.make(operation, () => this.#mutex.run(accountId, task));
  }

  async #read(accountId: string): Promise<PendingRequest[]> {
    const now = this.#clock();
    const list = (await this.#values.get<PendingRequest[]>(keyOf(accountId))) ?? [];
    return list.filter(({ endsAt }) => now < endsAt);
  }

  async #write(accountId: string, list: readonly PendingRequest[]): Promise<void> {
    const key = keyOf(accountId);
    if (list.length === 0) {
      await this.#values.delete(key);
      return;
    }
    // Keyv takes a time to live of 0 as "never expires".
    const left = Math.max(1, Math.max(...list.map(({ endsAt }) => endsAt)) - this.#clock());
    await this.#values.set(key, list, left);
  }
}

function keyOf(accountId: string): string {
  return `requests:${accountId}`;
}
