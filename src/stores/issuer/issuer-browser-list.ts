import type { BrowserList, ListedBrowser, Use } from '../../ticket/browsers/browser-list.ts';
import type { EntryKeys } from './issuer-keys.ts';

/**
 * The browsers of an issuer's accounts. A list is written under the current key. Until all of its browsers have been
 * used again or have ended, it is also read under the older keys, so that no browser escapes a sign-out.
 */
export class IssuerBrowserList<Entry extends ListedBrowser> implements BrowserList<Entry> {
  readonly #lists: BrowserList<Entry>;
  readonly #keysOf: (accountId: string) => EntryKeys;

  /**
   * @param lists the lists by key
   * @param keysOf returns the keys of an account's list
   */
  constructor(lists: BrowserList<Entry>, keysOf: (accountId: string) => EntryKeys) {
    this.#lists = lists;
    this.#keysOf = keysOf;
  }

  async put(accountId: string, browser: Entry): Promise<readonly Entry[]> {
    const { current, older } = this.#keysOf(accountId);
    const gone = await this.#lists.put(current, browser);
    // Not awaited, because a failure is harmless: `list` prefers the browser that was just written.
    void Promise.allSettled(older.map((key) => this.#lists.remove(key, browser.id)));
    return gone;
  }

  async list(accountId: string): Promise<readonly Entry[]> {
    const { current, older } = this.#keysOf(accountId);
    const lists = await Promise.all([current, ...older].map((key) => this.#lists.list(key)));
    const browsers = new Map<string, Entry>();
    for (const browser of lists.flat()) if (!browsers.has(browser.id)) browsers.set(browser.id, browser);
    return [...browsers.values()];
  }

  async used(accountId: string, id: string, use: Use): Promise<boolean> {
    const { current, older } = this.#keysOf(accountId);
    if (await this.#lists.used(current, id, use)) return true;
    for (const key of older) {
      const browser = (await this.#lists.list(key)).find((listed) => listed.id === id);
      if (browser !== undefined) {
        await this.#move(key, current, { ...browser, ...use });
        return true;
      }
    }
    return false;
  }

  async rename(accountId: string, id: string, label: string | undefined): Promise<boolean> {
    const { current, older } = this.#keysOf(accountId);
    for (const key of [current, ...older]) if (await this.#lists.rename(key, id, label)) return true;
    return false;
  }

  async remove(accountId: string, id: string): Promise<void> {
    const { current, older } = this.#keysOf(accountId);
    await Promise.all([current, ...older].map((key) => this.#lists.remove(key, id)));
  }

  async #move(from: string, to: string, browser: Entry): Promise<void> {
    const gone = await this.#lists.put(to, browser);
    await this.#lists.remove(from, browser.id);
    // A full list removes a browser to make room. That one is still signed in, so it must stay on one of the lists.
    for (const other of gone) await this.#lists.put(from, other);
  }
}
