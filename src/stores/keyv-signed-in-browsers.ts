import type { Keyv } from 'keyv';
import type { Clock } from '../ticket/ports.ts';
import {
  isSignedIn,
  type SignedInBrowser,
  type SignedInBrowsers,
  type Use,
  withBrowser,
} from '../ticket/signed-in-browser.ts';
import { Access } from './access.ts';
import { ExpirySweep, isInMemory } from './expiry-sweep.ts';
import { failLoudly, write } from './fail-loudly.ts';
import { KeyedMutex } from './keyed-mutex.ts';

/** The lists in any Keyv, for one process: a mutex for each account makes one step of reading and writing. */
export class KeyvSignedInBrowsers implements SignedInBrowsers {
  readonly #keyv: Keyv;
  readonly #clock: Clock;
  readonly #access: Access;
  readonly #mutex = new KeyedMutex();
  readonly #sweep: ExpirySweep;

  constructor(keyv: Keyv, clock: Clock) {
    this.#keyv = failLoudly(keyv);
    this.#clock = clock;
    this.#access = new Access(isInMemory(keyv) ? 'memory' : 'keyv');
    this.#sweep = new ExpirySweep(keyv);
  }

  put(accountId: string, browser: SignedInBrowser): Promise<readonly SignedInBrowser[]> {
    return this.#step('put', accountId, async () => {
      const { kept, gone } = withBrowser(await this.#read(accountId), browser, this.#clock());
      await this.#write(accountId, kept);
      return gone;
    });
  }

  of(accountId: string): Promise<readonly SignedInBrowser[]> {
    return this.#access.make('find', () => this.#read(accountId));
  }

  used(accountId: string, id: string, use: Use): Promise<boolean> {
    return this.#step('use', accountId, async () => {
      const list = await this.#read(accountId);
      if (!list.some((browser) => browser.id === id)) return false;
      await this.#write(
        accountId,
        list.map((browser) => (browser.id === id ? { ...browser, ...use } : browser)),
      );
      return true;
    });
  }

  remove(accountId: string, id: string): Promise<void> {
    return this.#step('remove', accountId, async () => {
      const list = await this.#read(accountId);
      const kept = list.filter((browser) => browser.id !== id);
      if (kept.length < list.length) await this.#write(accountId, kept);
    });
  }

  close(): void {
    this.#sweep.stop();
  }

  #step<T>(operation: string, accountId: string, task: () => Promise<T>): Promise<T> {
    return this.#access.make(operation, () => this.#mutex.run(accountId, task));
  }

  async #read(accountId: string): Promise<SignedInBrowser[]> {
    const now = this.#clock();
    const list = (await this.#keyv.get<SignedInBrowser[]>(listKey(accountId))) ?? [];
    return list.filter((browser) => isSignedIn(browser, now));
  }

  async #write(accountId: string, list: readonly SignedInBrowser[]): Promise<void> {
    const key = listKey(accountId);
    if (list.length === 0) {
      await this.#keyv.delete(key);
      this.#sweep.forget(key);
      return;
    }
    // To Keyv, no time left means no end.
    const left = Math.max(1, Math.max(...list.map(({ endsAt }) => endsAt)) - this.#clock());
    await write(this.#keyv, key, list, left);
    this.#sweep.watch(key, left);
  }
}

function listKey(accountId: string): string {
  return `browsers:${accountId}`;
}
