/**
 * A page of an app, opened in Chromium; the page uses the library. The test imports the private key into WebCrypto as
 * one that the page cannot export.
 */
import { createServer, type Server } from 'node:http';
import { exportJWK } from 'jose';
import type { BrowserContext, Page } from 'playwright-core';
import type { LoginPage } from '../../src/index.ts';
import { CALM, openChromium } from '../chromium/chromium.ts';
import { phoneApp } from '../fixtures/phone-app.ts';
import { AppPerson } from '../support/app.ts';
import { listen } from '../support/server.ts';
import { BrowserPerson, CLIENT_ID, World, type WorldOptions } from '../support/world.ts';
import { backdateAppSignIn } from './app-phone.ts';
import { bundleLibrary } from './bundled.ts';

/** The script of the page. The key is kept in IndexedDB, the token and the ticket in variables of the page. */
const SCRIPT = `
import * as library from './library.js';
const open = () => new Promise((resolve, reject) => {
  const request = indexedDB.open('app', 1);
  request.onupgradeneeded = () => request.result.createObjectStore('keys');
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
const inStore = async (mode, act) => {
  const database = await open();
  return new Promise((resolve, reject) => {
    const request = act(database.transaction('keys', mode).objectStore('keys'));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
};
const importKey = (jwk, usages) =>
  crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, usages[0] === 'verify', usages);
window.library = library;
window.keepKeys = (keys) => inStore('readwrite', (store) => store.put(keys, 'key'));
window.storedKeys = () => inStore('readonly', (store) => store.get('key'));
window.importKeys = async (publicJwk, privateJwk) => {
  const publicKey = await importKey({ ...publicJwk, ext: true }, ['verify']);
  await window.keepKeys({ publicKey, privateKey: await importKey(privateJwk, ['sign']) });
};
window.start = async (issuer, token) => {
  // The test gives another token if this one is refused.
  const accessToken = async (refused) => (refused ? (token = await refreshToken(refused)) : token);
  window.phone = new library.Phone({ issuer, accessToken, signer: await library.webCryptoSigner(await storedKeys()) });
};
window.failure = async (call) => {
  try { await call(); } catch (error) { return { ...error, name: error.name, message: error.message }; }
};
window.ready = true;
`;

interface ScannedSignIn {
  readonly browser: BrowserPerson;
  readonly app: AppPerson;
  readonly page: Page;
  readonly code: string;
}

export class AppPageSite {
  readonly world: World;
  readonly origin: string;
  readonly #server: Server;
  readonly #contexts: BrowserContext[] = [];

  private constructor(world: World, origin: string, server: Server) {
    this.world = world;
    this.origin = origin;
    this.#server = server;
  }

  /** Starts a provider that knows the page as an app, and the page's server at a separate origin. */
  static async start(options: WorldOptions = {}): Promise<AppPageSite> {
    const library = await bundleLibrary('esm');
    const files: Readonly<Record<string, readonly [type: string, text: string]>> = {
      '/': ['text/html', '<!doctype html><title>App</title><script type="module" src="./app.js"></script>'],
      '/app.js': ['text/javascript', SCRIPT],
      '/library.js': ['text/javascript', library],
    };
    const server = createServer(({ url = '' }, response) => {
      const [type, text] = files[url] ?? ['text/plain', ''];
      response.writeHead(200, { 'Content-Type': type }).end(text);
    });
    const origin = await listen(server);
    const app = phoneApp('web-app', { application_type: 'web', redirect_uris: [`${origin}/callback`] });
    // The phone signs in with a password, because it cannot scan its own code.
    const loginPage: LoginPage = (_ctx, { params }) =>
      params.client_id === CLIENT_ID ? undefined : { path: 'password' };
    const world = await World.start({ clients: [app], ...options, qrLogin: { loginPage, ...options.qrLogin } });
    return new AppPageSite(world, origin, server);
  }

  /** Returns a browser at the QR page, and a page of the app that has scanned its code. */
  async scan({
    name = 'alice',
    parameters = {},
  }: {
    name?: string;
    parameters?: Record<string, string>;
  } = {}): Promise<ScannedSignIn> {
    const browser = new BrowserPerson(this.world);
    await browser.start(parameters);
    const code = await browser.code();
    const { app, page } = await this.open(name);
    // Backdate the app's own sign-in, so that a new sign-in of the app has a later `auth_time`.
    await backdateAppSignIn(this.world, app, 60);
    await page.evaluate(`phone.scan('${code}').then((scanned) => { window.ticket = scanned; })`);
    return { browser, app, page, code };
  }

  /** Opens the page with the token of a person, and with the key of the token. */
  async open(name: string = 'alice'): Promise<{ app: AppPerson; page: Page }> {
    const app = new AppPerson(this.world, { clientId: 'web-app', callback: `${this.origin}/callback` });
    await app.signIn(name);
    const page = await this.visit(this.origin);
    await page.exposeFunction('refreshToken', async () => {
      await app.refresh().catch(() => undefined);
      return app.accessToken;
    });
    await this.giveKey(page, app);
    return { app, page };
  }

  /** Gives a page the key of an app, reloads the page, and starts the library with the token of the app. */
  async giveKey(page: Page, { key, accessToken }: AppPerson): Promise<void> {
    const [publicJwk, privateJwk] = [await exportJWK(key.publicKey), await exportJWK(key.privateKey)];
    await page.evaluate(`importKeys(${JSON.stringify(publicJwk)}, ${JSON.stringify(privateJwk)})`);
    await page.reload();
    await page.waitForFunction('window.ready');
    await page.evaluate(`start('${this.world.issuer}', '${accessToken}')`);
  }

  async visit(url: string): Promise<Page> {
    const context = await (await openChromium()).newContext(CALM);
    this.#contexts.push(context);
    const page = await context.newPage();
    await page.goto(url);
    await page.waitForFunction('window.ready');
    return page;
  }

  async stop(): Promise<void> {
    for (const context of this.#contexts) await context.close();
    this.#server.close();
    this.#server.closeAllConnections();
    await this.world.stop();
  }
}
