import { hasRoom, type PendingRequest, type PendingRequests } from '../../ticket/requests/pending-request.ts';
import type { EntryKeys } from './issuer-keys.ts';

/**
 * The pending requests of an issuer's accounts. A request is added under the current key, and found under older keys,
 * too.
 */
export class IssuerPendingRequests implements PendingRequests {
  readonly #requests: PendingRequests;
  readonly #keysOf: (accountId: string) => EntryKeys;

  /** @param keysOf returns the keys of an account's requests */
  constructor(requests: PendingRequests, keysOf: (accountId: string) => EntryKeys) {
    this.#requests = requests;
    this.#keysOf = keysOf;
  }

  async add(accountId: string, request: PendingRequest): Promise<boolean> {
    const { current, older } = this.#keysOf(accountId);
    const earlier = await Promise.all(older.map((key) => this.#requests.list(key)));
    return hasRoom(earlier.flat(), request) && this.#requests.add(current, request);
  }

  async list(accountId: string): Promise<readonly PendingRequest[]> {
    const { current, older } = this.#keysOf(accountId);
    return (await Promise.all([current, ...older].map((key) => this.#requests.list(key)))).flat();
  }

  async remove(accountId: string, id: string): Promise<void> {
    const { current, older } = this.#keysOf(accountId);
    await Promise.all([current, ...older].map((key) => this.#requests.remove(key, id)));
  }
}
