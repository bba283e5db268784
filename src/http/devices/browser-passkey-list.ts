import type { KnownBrowsers } from '../../ticket/browsers/known-browser.ts';
import type { Clock } from '../../ticket/ports.ts';
import type { BrowserPasskey, BrowserPasskeys } from '../hooks/browser-passkeys.ts';
import type { BrowserPasskeyEntry } from '../pages/page-data.ts';
import { toSeconds } from '../request/responses.ts';

export interface BrowserPasskeyListPorts {
  readonly known: Pick<KnownBrowsers, 'list'>;
  readonly clock: Clock;
  /** Undefined if browsers get no passkeys. */
  readonly browserPasskeys: BrowserPasskeys | undefined;
}

/** Lists and removes, for the account's user, the passkeys that browsers have added with the phone's approval. */
export class BrowserPasskeyList {
  readonly #ports: BrowserPasskeyListPorts;

  constructor(ports: BrowserPasskeyListPorts) {
    this.#ports = ports;
  }

  /** Returns the passkeys of an account, the latest one first. */
  async list(accountId: string): Promise<BrowserPasskeyEntry[]> {
    const { browserPasskeys, clock } = this.#ports;
    const list = [...((await browserPasskeys?.list(accountId)) ?? [])];
    return list
      .sort((one, other) => other.browser.addedAt - one.browser.addedAt)
      .map(({ id, browser: { session, knownAs, addedAt, ...described } }) => ({
        id,
        ...described,
        addedAt: new Date(addedAt).toISOString(),
        addedAgo: Math.floor(toSeconds(clock() - addedAt)),
      }));
  }

  /**
   * Removes the passkey with this id, or `all`. A passkey of another account, or of another kind, is treated as
   * unknown.
   */
  async remove(accountId: string, id: string): Promise<void> {
    await this.#removeThose(accountId, (passkey) => id === 'all' || passkey.id === id);
  }

  /**
   * Returns the ids of the known browser whose latest session this is. A browser that was signed in again since it
   * added its passkey has another session, but the same id.
   */
  async knownIdsOf(accountId: string, sessionUid: string): Promise<string[]> {
    const { browserPasskeys, known } = this.#ports;
    if (browserPasskeys === undefined) return [];
    const list = await known.list(accountId);
    return list.filter((browser) => browser.sessionUid === sessionUid).map(({ id }) => id);
  }

  /** Removes the passkeys that were added in a browser. @param ids the browser's ids on the account's lists */
  async removeOf(accountId: string, ids: readonly string[]): Promise<void> {
    await this.#removeThose(accountId, ({ browser }) => ids.includes(browser.session) || ids.includes(browser.knownAs));
  }

  async #removeThose(accountId: string, isMeant: (passkey: BrowserPasskey) => boolean): Promise<void> {
    const { browserPasskeys } = this.#ports;
    const meant = ((await browserPasskeys?.list(accountId)) ?? []).filter(isMeant);
    // Remove one after another: a simple store of a deployment reads, changes and writes the whole list.
    for (const { id } of meant) await browserPasskeys?.remove(accountId, id);
  }
}
