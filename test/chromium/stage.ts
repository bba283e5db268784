/** Runs the provider and RP of the fixtures, and real browsers that use them. Each test has a separate stage. */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Keyv } from 'keyv';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import type { QrLoginOptions } from '../../src/index.ts';
import { type Fixture, type FixtureOptions, makeProvider } from '../fixtures/provider.ts';
import { makeRp, rpClient } from '../fixtures/rp.ts';
import { StillClock } from '../support/clock.ts';
import { type RunningServer, serve } from '../support/server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { CALM, openChromium } from './chromium.ts';
import { startCoverage, takeCoverage } from './page-coverage.ts';

/** Makes the provider and the RP of a stage. */
export interface Setting {
  readonly makeProvider: (options: FixtureOptions) => Promise<Fixture>;
  readonly rpClient: typeof rpClient;
  readonly makeRp: typeof makeRp;
  /** True if a TCP proxy stands in front of the provider: see {@link Stage.network}. */
  readonly isBehindProxy?: boolean;
}

const FIXTURES: Setting = { makeProvider, rpClient, makeRp };
export const BEHIND_PROXY: Setting = { ...FIXTURES, isBehindProxy: true };

const DESKTOP: BrowserContextOptions = { ...CALM, viewport: { width: 1280, height: 900 }, locale: 'en-GB' };
const PHONE: BrowserContextOptions = {
  ...CALM,
  viewport: { width: 360, height: 740 },
  locale: 'en-GB',
  isMobile: true,
  hasTouch: true,
};

/**
 * The longest wait for one thing on a page. A busy machine can take ten times as long as an idle one, so this limit
 * only stops waits that would never end.
 */
export const PATIENCE_MS = 60_000;

/** The longest wait for the description of a page, in milliseconds. */
const DESCRIBES_WITHIN_MS = 5_000;

type StageParts = RunningServer &
  Fixture & {
    readonly issuer: string;
    readonly make: () => Promise<Fixture>;
    readonly network: TcpProxy | undefined;
  };

export class Stage {
  /**
   * The clock of the provider. Only the test moves it, so that no code rotates and no deadline passes on a slow
   * machine.
   */
  readonly clock: StillClock;
  readonly issuer: string;
  readonly rpUrl: string;
  readonly #browser: Browser;
  readonly #make: () => Promise<Fixture>;
  readonly #network: TcpProxy | undefined;
  #provider: RunningServer & Fixture;
  readonly #rp: RunningServer;
  readonly #contexts = new Map<BrowserContext, BrowserContextOptions>();
  readonly #pages: Page[] = [];
  readonly #problems: string[] = [];
  readonly #expected: RegExp[] = [/favicon\.ico/];
  readonly #ends: (() => Promise<unknown>)[] = [];

  private constructor(browser: Browser, clock: StillClock, provider: StageParts, rp: RunningServer) {
    this.clock = clock;
    this.issuer = provider.issuer;
    this.#network = provider.network;
    this.rpUrl = rp.origin;
    this.#browser = browser;
    this.#make = provider.make;
    this.#provider = provider;
    this.#rp = rp;
  }

  static async set(
    qrLogin: Partial<QrLoginOptions> = {},
    more: Partial<FixtureOptions> = {},
    setting: Setting = FIXTURES,
  ): Promise<Stage> {
    const browser = await openChromium();
    const clock = new StillClock();
    const store = new Keyv();
    const { provider, ...rp } = await serve(async (url) => {
      const provider = await serve(async (origin) => {
        const { network, issuer } = await connectTo(origin, setting);
        const make = (): Promise<Fixture> =>
          setting.makeProvider({
            store,
            ...more,
            issuer,
            clients: [setting.rpClient(url)],
            qrLogin: { clock: clock.now, assess: () => 'allow', limits: false, ...qrLogin },
          });
        return { ...(await make()), make, issuer, network };
      });
      return { provider, app: setting.makeRp(provider.issuer, url) };
    });
    return new Stage(browser, clock, provider, rp);
  }

  /** The network between the browsers and the provider. */
  get network(): TcpProxy {
    if (this.#network === undefined) throw new Error('this stage has no TCP proxy: see BEHIND_PROXY');
    return this.#network;
  }

  /** Opens a desktop browser without cookies. */
  desktop(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    return this.#context({ ...DESKTOP, ...options });
  }

  /** Opens a phone. @param browser a Chromium other than the shared one, for example one with a camera */
  phone(options: BrowserContextOptions = {}, browser: Browser = this.#browser): Promise<BrowserContext> {
    return this.#context({ ...PHONE, ...options }, browser);
  }

  /** Opens a page. Errors in its console fail the test. */
  async open(context: BrowserContext, url?: string): Promise<Page> {
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('pageerror', (error) => this.#problems.push(`${page.url()}: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() !== 'error') return;
      const { url: source } = message.location();
      this.#problems.push(`${page.url()}: ${message.text()} (${source})`);
    });
    if (this.#contexts.get(context)?.javaScriptEnabled !== false) await startCoverage(page);
    this.#pages.push(page);
    if (url !== undefined) await page.goto(url);
    return page;
  }

  /** Allows errors in the console that match this pattern. */
  expectProblem(pattern: RegExp): void {
    this.#expected.push(pattern);
  }

  /** Calls `end` when the stage ends. */
  atEnd(end: () => Promise<unknown>): void {
    this.#ends.push(end);
  }

  /** Cuts every connection to the provider, as the restart of a proxy does. */
  cutConnections(): void {
    this.#provider.server.closeAllConnections();
  }

  /** Stops the provider's server until {@link comeBack}. */
  async goAway(): Promise<void> {
    const { server } = this.#provider;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }

  async comeBack(): Promise<void> {
    const { server, origin } = this.#provider;
    server.listen(Number(new URL(origin).port), 'localhost');
    await once(server, 'listening');
  }

  health(): ReturnType<Fixture['qr']['health']> {
    return this.#provider.qr.health();
  }

  /** Replaces the provider by a new one with the same store. */
  async restart(): Promise<void> {
    const { server, qr } = this.#provider;
    await qr.close();
    const next = await this.#make();
    server.removeAllListeners('request');
    server.on('request', next.app.callback());
    this.#provider = { ...this.#provider, ...next };
  }

  /** The errors of all pages, without those that the test expects. */
  get problems(): string[] {
    return this.#problems.filter((problem) => !this.#expected.some((pattern) => pattern.test(problem)));
  }

  /** Describes the open pages, for the message of a test that has failed. */
  async describePages(): Promise<string> {
    const open = this.#pages.filter((page) => !page.isClosed());
    const states = await Promise.all(open.map(describe));
    return states.join('\n');
  }

  /** Ends everything, even after a failed test. */
  async strike(): Promise<void> {
    try {
      for (const page of this.#pages) if (!page.isClosed()) await takeCoverage(page);
    } finally {
      // A handler that still holds a request would fail once its page is closed, and nothing would catch that.
      const open = [...this.#contexts.keys(), ...this.#pages.filter((page) => !page.isClosed())];
      await Promise.all(open.map((opened) => opened.unrouteAll({ behavior: 'ignoreErrors' })));
      await this.#provider.qr.close();
      await Promise.all([
        ...[...this.#contexts.keys()].map((context) => context.close()),
        this.#provider.stop(),
        this.#network?.stop(),
        this.#rp.stop(),
        ...this.#ends.map((end) => end()),
      ]);
    }
  }

  async #context(options: BrowserContextOptions, browser: Browser = this.#browser): Promise<BrowserContext> {
    const context = await browser.newContext(options);
    this.#contexts.set(context, options);
    await context.addInitScript(
      `document.addEventListener('securitypolicyviolation', (event) =>
        console.error('CSP ' + event.effectiveDirective + ' blocks ' + event.blockedURI));`,
    );
    return context;
  }
}

async function describe(page: Page): Promise<string> {
  const state = page.evaluate<string>(
    `[document.visibilityState, document.readyState, document.querySelector('[data-screen]')?.dataset.screen].join(', ')`,
  );
  const answer = await Promise.race([
    state.catch((error: Error) => error.message),
    pause(DESCRIBES_WITHIN_MS, 'gives no answer', { ref: false }),
  ]);
  return `${page.url()}: ${answer}`;
}

/** Puts a TCP proxy in front of the server at this origin, if the setting says so. */
async function connectTo(
  origin: string,
  { isBehindProxy }: Setting,
): Promise<{ issuer: string; network: TcpProxy | undefined }> {
  if (!isBehindProxy) return { issuer: origin, network: undefined };
  const network = await TcpProxy.start(Number(new URL(origin).port), 'localhost');
  return { issuer: `http://localhost:${network.port}`, network };
}
