/** Runs the example's provider and RP and the app of the phone, each at a separate origin. */
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { buildApp } from '../../../examples/app/build.ts';
import { APP_CLIENT } from '../../../examples/app/client.ts';
import { makeApp } from '../../../examples/app/server.ts';
import { NAME } from '../../../examples/provider.ts';
import type { QrLoginOptions } from '../../../src/index.ts';
import { fillInPasswordPage } from '../../chromium/acts.ts';
import type { Stage } from '../../chromium/stage.ts';
import { useStage } from '../../chromium/use-stage.ts';
import type { FixtureOptions } from '../../fixtures/provider.ts';
import { type RunningServer, serve } from '../../support/server.ts';
import { EXAMPLE, makeExampleProvider } from '../example-setting.ts';

export interface AppStage {
  readonly stage: () => Stage;
  /** The origin of the app. */
  readonly url: () => string;
  /** Opens a phone. Its pages have no service worker unless the options allow it, so that requests can be watched. */
  readonly phone: (options?: BrowserContextOptions) => Promise<BrowserContext>;
  /** Opens the app on a phone. */
  readonly open: (phone: BrowserContext, path?: string) => Promise<Page>;
  /** Opens the app on a phone, and signs in. */
  readonly openSignedIn: (phone: BrowserContext, name?: string, password?: string) => Promise<Page>;
}

/** Sets up a stage with the app for each test of this suite. */
export function useApp(qrLogin: Partial<QrLoginOptions> = {}, more: Partial<FixtureOptions> = {}): AppStage {
  let app: RunningServer | undefined;
  const stage = useStage(qrLogin, more, {
    ...EXAMPLE,
    makeProvider: async (options) => {
      const { issuer } = options;
      const build = () => buildApp({ issuer, clientId: APP_CLIENT, provider: NAME });
      app = await serve(() => ({ app: makeApp(issuer, build) }));
      return makeExampleProvider({ ...options, appUrl: app.origin });
    },
  });

  afterEach(() => app?.stop());

  const url = (): string => {
    if (app === undefined) throw new Error('the app exists only while a test runs');
    return app.origin;
  };
  const phone = (options: BrowserContextOptions = {}): Promise<BrowserContext> =>
    stage().phone({ serviceWorkers: 'block', ...options });
  const open = (context: BrowserContext, path: string = '/'): Promise<Page> => {
    // The first request to the API has no nonce, and tests provoke other refusals. Chromium logs each such answer as an
    // error.
    stage().expectProblem(/status of 4\d\d .*\/qr\/api\//);
    return stage().open(context, url() + path);
  };
  const openSignedIn = async (context: BrowserContext, name?: string, password?: string): Promise<Page> => {
    const page = await open(context);
    await signIn(page, name, password);
    await page.getByRole('heading', { name: 'Scan to sign in' }).waitFor();
    return page;
  };
  return { stage, url, phone, open, openSignedIn };
}

/** Signs in from the app's first screen, and consents. */
export async function signIn(page: Page, name?: string, password?: string): Promise<void> {
  await page.getByRole('button', { name: 'Sign in with Example ID' }).click();
  await fillInPasswordPage(page, name, password);
  await page.getByRole('button', { name: 'Allow' }).click();
}
