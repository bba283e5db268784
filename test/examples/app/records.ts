/** Reads and changes the records that the app keeps on its device. */
import type { Page } from 'playwright-core';

export interface Records {
  readonly tokens?: { readonly accessToken: string; readonly refreshToken: string; readonly name: string };
  /** The public half of the key. */
  readonly jwk?: { readonly x: string };
  readonly extractable?: boolean;
  /** The name of the error that a script gets when it tries to export the private half. */
  readonly exported?: unknown;
}

/** Opens the app's store. */
const OPEN = `const opening = indexedDB.open('qr-login-app');
  await new Promise((resolve, reject) => Object.assign(opening, { onsuccess: resolve, onerror: reject }));
  const store = opening.result.transaction('device', 'readwrite').objectStore('device');
  const settled = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });`;

export function readRecords(page: Page): Promise<Records> {
  return page.evaluate<Records>(`(async () => {
    ${OPEN}
    const [key, tokens] = await Promise.all(['key', 'tokens'].map((name) => settled(store.get(name))));
    return {
      tokens,
      extractable: key?.privateKey.extractable,
      jwk: key && await crypto.subtle.exportKey('jwk', key.publicKey),
      exported: key && await crypto.subtle.exportKey('jwk', key.privateKey).catch(({ name }) => name),
    };
  })()`);
}

/** Changes the tokens that the app has stored. An open page has its own copy of them. */
export function writeTokens(page: Page, change: object): Promise<void> {
  return page.evaluate<void>(`(async () => {
    ${OPEN}
    const tokens = await settled(store.get('tokens'));
    await settled(store.put({ ...tokens, ...${JSON.stringify(change)} }, 'tokens'));
  })()`);
}
