/**
 * Makes and uses the key pair by which the provider recognizes this browser. Scripts can use the private key, but
 * cannot copy it, so a copy of the browser's cookie is worth nothing elsewhere.
 */
const DATABASE = 'qr-login';
const STORE = 'keys';
const NAME = 'browser';
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };

/** Returns the public key as a JSON Web Key. Makes the key if the browser has none. */
export async function publicKey(): Promise<string> {
  const pair = (await readKey()) ?? (await makeKey());
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey);
  return JSON.stringify({ kty, crv, x, y });
}

/** Signs a text. @returns undefined if this browser has no key (any more) */
export async function sign(text: string): Promise<string | undefined> {
  const pair = await readKey();
  if (pair === undefined) return undefined;
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const signature = await crypto.subtle.sign(algorithm, pair.privateKey, new TextEncoder().encode(text));
  const binary = String.fromCharCode(...new Uint8Array(signature));
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/**
 * Signs the code that this browser shows.
 * @param uid the interaction
 * @returns the fields for the server; undefined if this browser has no key
 */
export async function signShownCode(uid: string, code: string): Promise<Record<string, string> | undefined> {
  const signature = await sign(`oidc-provider-qr-login show ${uid} ${code}`);
  return signature === undefined ? undefined : { key: await publicKey(), code, signature };
}

async function makeKey(): Promise<CryptoKeyPair> {
  const pair = await crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
  await withStore('readwrite', (store) => store.put(pair, NAME));
  return pair;
}

function readKey(): Promise<CryptoKeyPair | undefined> {
  return withStore('readonly', (store) => store.get(NAME));
}

async function withStore<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await resultOf(opening);
  try {
    return await resultOf(act(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
