/**
 * Keeps the app's records on this device in IndexedDB, which, unlike localStorage, can hold keys that no script can
 * read.
 */

/** The tokens of the signed-in account. They work only together with the key. */
export interface Tokens {
  readonly accessToken: string;
  /** The time at which the access token expires, in milliseconds since the epoch, by the clock of this device. */
  readonly expiresAt: number;
  /** Absent if the provider issues none: then the app signs in again when the access token has expired. */
  readonly refreshToken?: string;
  /** Names the account to the provider when the user signs in again or signs out. */
  readonly idToken: string;
  /** The account's id at the provider, and its name to display. */
  readonly subject: string;
  readonly name: string;
}

/** An authorization request that has not come back yet. */
export interface PendingSignIn {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** The path of the app to open afterwards. */
  readonly returnTo: string;
}

/** The records by their keys. */
interface Records {
  readonly key: CryptoKeyPair;
  readonly tokens: Tokens;
  readonly pending: PendingSignIn;
}

const DATABASE = 'qr-login-app';
const STORE = 'device';

export class DeviceStore {
  readonly #database: IDBDatabase;

  private constructor(database: IDBDatabase) {
    this.#database = database;
  }

  /** Opens the store. @throws DOMException if the browser lets this page store nothing, as some private windows do */
  static async open(): Promise<DeviceStore> {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    return new DeviceStore(await waitForRequest(opening));
  }

  find<Key extends keyof Records>(key: Key): Promise<Records[Key] | undefined> {
    return waitForRequest(this.#store('readonly').get(key));
  }

  async save<Key extends keyof Records>(key: Key, record: Records[Key]): Promise<void> {
    await waitForRequest(this.#store('readwrite').put(record, key));
  }

  async delete(...keys: readonly (keyof Records)[]): Promise<void> {
    for (const key of keys) await waitForRequest(this.#store('readwrite').delete(key));
  }

  #store(mode: IDBTransactionMode): IDBObjectStore {
    return this.#database.transaction(STORE, mode).objectStore(STORE);
  }
}

/**
 * Returns the key of this app on this device, and makes one if there is none. The private half is not extractable: a
 * script can use it as long as it runs in this app, but cannot take it elsewhere.
 */
export async function deviceKey(store: DeviceStore): Promise<CryptoKeyPair> {
  const known = await store.find('key');
  if (known !== undefined) return known;
  const made = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
  await store.save('key', made);
  return made;
}

function waitForRequest<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
