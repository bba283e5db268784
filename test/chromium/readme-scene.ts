/** Runs the example at real host names for the pictures in the README. Chromium resolves these names to this machine. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions } from 'playwright-core';
import { Accounts } from '../../examples/accounts.ts';
import { certificateFor } from '../../examples/lan-certificate.ts';
import { makeExample } from '../../examples/provider.ts';
import { makeRp, rpClient } from '../../examples/rp.ts';
import { makeSecrets } from '../../examples/secrets.ts';
import { launchWholeChromium } from './chromium.ts';

export const PROVIDER_HOST = 'id.example.com';
export const APP_HOST = 'shop.example.com';
const issuer = `https://${PROVIDER_HOST}`;
export const APP_URL: string = `https://${APP_HOST}`;

export interface Scene {
  readonly open: (options: BrowserContextOptions) => Promise<BrowserContext>;
  /** Opens a phone on which alice is signed in. */
  readonly phone: (options: BrowserContextOptions) => Promise<BrowserContext>;
  readonly close: () => Promise<void>;
}

/** Starts the example and a Chromium that finds it at {@link PROVIDER_HOST} and {@link APP_HOST}. */
export async function setScene(): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'readme-pictures-'));
  const certificate = certificateFor('127.0.0.1', folder);
  if (certificate === undefined) throw new Error('the pictures need openssl');
  const secrets = makeSecrets();
  const { rpSecret: secret } = secrets;
  const client = { ...rpClient({ url: APP_URL, secret }), client_name: 'Corner Shop' };
  const accounts = await Accounts.demo();
  const qrLogin = { assess: () => 'check code' as const, showAddress: false };
  const example = makeExample({ issuer, secrets, accounts, clients: [client], proxy: true, qrLogin });

  const inside = await listen(createServer(example.app.callback()));
  const rp = makeRp({ issuer, url: APP_URL, secret, name: client.client_name, fetch: fetchAt(inside.port) });
  const secure = (listener: RequestListener): Promise<ListeningServer> =>
    listen(createSecureServer(certificate, listener));
  const outside = [await secure(example.app.callback()), await secure(rp.callback())];
  const rules = [PROVIDER_HOST, APP_HOST].map((host, index) => `MAP ${host}:443 127.0.0.1:${outside[index]?.port}`);
  const browser = await launchWholeChromium(`--host-resolver-rules=${rules.join(',')}`);

  const open = (options: BrowserContextOptions): Promise<BrowserContext> => contextIn(browser, options);
  return {
    open,
    phone: async (options) => {
      const context = await open({ isMobile: true, hasTouch: true, ...options });
      const page = await context.newPage();
      await page.goto(`${issuer}/account`);
      await page.locator('#name').fill('alice');
      await page.locator('#password').fill('wonderland');
      await page.locator('form:has(#password) button').click();
      await page.waitForURL(`${issuer}/account`);
      await page.close();
      return context;
    },
    close: async () => {
      await browser.close();
      await example.qr.close();
      for (const { server } of [inside, ...outside]) {
        server.closeAllConnections();
        server.close();
      }
      rmSync(folder, { recursive: true });
    },
  };
}

function contextIn(browser: Browser, options: BrowserContextOptions): Promise<BrowserContext> {
  return browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce', ignoreHTTPSErrors: true, ...options });
}

/** Sends the RP's own requests to the provider on this machine, with the headers that a proxy would set. */
function fetchAt(port: number): typeof fetch {
  return (url, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set('x-forwarded-host', PROVIDER_HOST);
    headers.set('x-forwarded-proto', 'https');
    return fetch(String(url).replace(issuer, `http://127.0.0.1:${port}`), { ...init, headers });
  };
}

interface ListeningServer {
  readonly server: Server | ReturnType<typeof createSecureServer>;
  readonly port: number;
}

async function listen(server: ListeningServer['server']): Promise<ListeningServer> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}
