import {
  type BrowserList,
  isListed,
  type ListedBrowser,
  MOST_BROWSERS,
  type Use,
  withLabel,
} from '../../../ticket/browsers/browser-list.ts';
import type { Clock } from '../../../ticket/ports.ts';
import { unavailable } from '../../access.ts';
import type { RedisLink } from '../link.ts';
import type { Script } from '../scripts.ts';
import { LIST_BROWSERS, PUT_BROWSER, REMOVE_BROWSER, RENAME_BROWSER, USE_BROWSER } from './browser-scripts.ts';

/** The number of attempts to rename a browser. One fails only if a new sign-in or another name changes the browser. */
const MAX_RENAME_ATTEMPTS = 5;
/** The answer of {@link RENAME_BROWSER} if the browser has changed since it was read. */
const CHANGED_MEANWHILE = -1;

/** Lists of browsers in Redis, for any number of processes: one hash for each account, and one script for each step. */
export class RedisBrowserList<Entry extends ListedBrowser> implements BrowserList<Entry> {
  readonly #link: RedisLink;
  readonly #keyOf: (accountId: string) => string;
  readonly #clock: Clock;

  /**
   * @param keyOf returns the key of an account's list
   * @param clock the clock of Redis, which the scripts use too
   */
  constructor(link: RedisLink, keyOf: (accountId: string) => string, clock: Clock) {
    this.#link = link;
    this.#keyOf = keyOf;
    this.#clock = clock;
  }

  async put(accountId: string, browser: Entry): Promise<readonly Entry[]> {
    return parseList<Entry>(
      await this.#run(PUT_BROWSER, accountId, browser.id, serialize(browser), `${MOST_BROWSERS}`),
    );
  }

  async list(accountId: string): Promise<readonly Entry[]> {
    const list = parseList<Entry>(await this.#run(LIST_BROWSERS, accountId));
    const now = this.#clock();
    return list.filter((browser) => isListed(browser, now));
  }

  async used(accountId: string, id: string, { lastUsedAt, endsAt }: Use): Promise<boolean> {
    return (await this.#run(USE_BROWSER, accountId, id, roundTime(lastUsedAt), roundTime(endsAt))) === 1;
  }

  async rename(accountId: string, id: string, label: string | undefined): Promise<boolean> {
    for (let tries = 0; tries < MAX_RENAME_ATTEMPTS; tries++) {
      const list = splitList(await this.#run(LIST_BROWSERS, accountId));
      const before = list.map(({ browser }) => browser).find((browser) => JSON.parse(browser).id === id);
      if (before === undefined) return false;
      const after = JSON.stringify(withLabel(JSON.parse(before), label));
      const renamed = await this.#run(RENAME_BROWSER, accountId, id, before, after);
      if (renamed !== CHANGED_MEANWHILE) return renamed === 1;
    }
    throw unavailable(new Error('a browser was changed by other requests during each attempt to rename it'));
  }

  async remove(accountId: string, id: string): Promise<void> {
    await this.#run(REMOVE_BROWSER, accountId, id);
  }

  #run(script: Script, accountId: string, ...values: string[]): Promise<unknown> {
    return this.#link.run(script, [this.#keyOf(accountId)], values);
  }
}

function serialize({ lastUsedAt, endsAt, ...browser }: ListedBrowser): string {
  return `${roundTime(lastUsedAt)} ${roundTime(endsAt)}\n${JSON.stringify(browser)}`;
}

function parseList<Entry extends ListedBrowser>(list: unknown): Entry[] {
  return splitList(list).map(({ lastUsedAt, endsAt, browser }) => ({ ...JSON.parse(browser), lastUsedAt, endsAt }));
}

/** A browser as it is stored: its times, and the JSON of the rest. */
interface StoredBrowser extends Use {
  readonly browser: string;
}

function splitList(list: unknown): StoredBrowser[] {
  if (!Array.isArray(list)) throw new TypeError('Redis did not return the browsers of an account');
  return list.map((stored) => {
    const [, lastUsedAt, endsAt, browser = ''] = /^(\d+) (\d+)\n(.*)$/s.exec(String(stored)) ?? [];
    return { lastUsedAt: Number(lastUsedAt), endsAt: Number(endsAt), browser };
  });
}

/** Rounds a time to whole milliseconds, because a clock of the deployment's own may return fractions. */
function roundTime(moment: number): string {
  return `${Math.round(moment)}`;
}
