/** Serves one Chromium to all processes of a test run. Launches Chromium when the first process asks for it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type BrowserServer, chromium } from 'playwright-core';
import { launchOptions } from './chromium.ts';

export interface ChromiumServer {
  /** Answers each GET request with the address for `chromium.connect`. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

export async function startChromiumServer(): Promise<ChromiumServer> {
  let launched: Promise<BrowserServer> | undefined;

  const launch = async (): Promise<BrowserServer> => {
    const browser = await chromium.launchServer(launchOptions());
    // After a crash, the next test gets a new browser.
    browser.once('close', () => {
      launched = undefined;
    });
    return browser;
  };

  const server = createServer(async (_request, response) => {
    try {
      launched ??= launch();
      response.end((await launched).wsEndpoint());
    } catch (error) {
      launched = undefined;
      response.writeHead(500).end(`${error}`);
    }
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: async () => {
      server.close();
      await (await launched?.catch(() => undefined))?.close();
    },
  };
}
