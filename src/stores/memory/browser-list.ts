import type { Keyv } from 'keyv';
import {
  type BrowserList,
  isListed,
  type ListedBrowser,
  type Use,
  withBrowser,
  withLabel,
} from '../../ticket/browsers/browser-list.ts';
import type { Clock } from '../../ticket/ports.ts';
import { Access } from '../access.ts';
import { KeyedMutex } from './keyed-mutex.ts';
import { type Values, valuesOf } from './values.ts';

/** Lists of browsers in any Keyv, for one process: a mutex for each account makes reading and writing one step. */
export class KeyvBrowserList<Entry extends ListedBrowser> implements BrowserList<Entry> {
  readonly #prefix: string;
  readonly #values: Values;
  readonly #clock: Clock;
  readonly #access: Access;
  readonly #mutex: KeyedMutex;

  /** @param prefix the beginning of the keys, which tells one kind of list from another */
  constructor(keyv: Keyv, prefix: string, clock: Clock) {
    this.#prefix = prefix;
    this.#values = valuesOf(keyv);
    this.#clock = clock;
    this.#access = new Access(this.#values.engine, this.#values.patience);
    this.#mutex = new KeyedMutex(this.#values.patience);
  }

  put(accountId: string, browser: Entry): Promise<readonly Entry[]> {
    return this.#step('put', accountId, async () => {
      const { kept: remaining, gone } = withBrowser(await this.#read(accountId), browser, this.#clock());
      await this.#write(accountId, remaining);
      return gone;
    });
  }

  list(accountId: string): Promise<readonly Entry[]> {
    return this.#access.make('find', () => this.#read(accountId));
  }

  used(accountId: string, id: string, use: Use): Promise<boolean> {
    return this.#change('use', accountId, id, (browser) => ({ ...browser, ...use }));
  }

  rename(accountId: string, id: string, label: string | undefined): Promise<boolean> {
    return this.#change('rename', accountId, id, (browser) => withLabel(browser, label));
  }

  remove(accountId: string, id: string): Promise<void> {
    return this.#step('remove', accountId, async () => {
      const list = await this.#read(accountId);
      const remaining = list.filter((browser) => browser.id !== id);
      if (remaining.length < list.length) await this.#write(accountId, remaining);
    });
  }

  /** Changes a browser if it is on the list. */
  #change(operation: string, accountId: string, id: string, act: (browser: Entry) => object): Promise<boolean> {
    return this.#step(operation, accountId, async () => {
      const list = await this.#read(accountId);
      if (!list.some((browser) => browser.id === id)) return false;
      // The cast is safe: `act` keeps all fields of the entry, also those that this class does not know.
      const changed = list.map((browser) => (browser.id === id ? (act(browser) as Entry) : browser));
      await this.#write(accountId, changed);
      return true;
    });
  }

  #step<T>(operation: string, accountId: string, task: () => Promise<T>): Promise<T> {
    return this.#access.make(operation, () => this.#mutex.run(accountId, task));
  }

  async #read(accountId: string): Promise<Entry[]> {
    const now = this.#clock();
    const list = (await this.#values.get<Entry[]>(this.#keyOf(accountId))) ?? [];
    return list.filter((browser) => isListed(browser, now));
  }

  async #write(accountId: string, list: readonly Entry[]): Promise<void> {
    const key = this.#keyOf(accountId);
    if (list.length === 0) {
      await this.#values.delete(key);
      return;
    }
    // Keyv takes a time to live of 0 as "never expires".
    const left = Math.max(1, Math.max(...list.map(({ endsAt }) => endsAt)) - this.#clock());
    await this.#values.set(key, list, left);
  }

  #keyOf(accountId: string): string {
    return `${this.#prefix}:${accountId}`;
  }
}
