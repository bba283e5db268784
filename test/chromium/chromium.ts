/** Launches Debian's Chromium, or connects to the Chromium that the whole test run shares. */
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type LaunchOptions,
} from 'playwright-core';
import { sizeOfSuite } from '../support/full-suite.ts';

const WITH_WINDOWS = '/usr/bin/chromium';
/** Chromium's engine without windows, which needs half the time. */
const SHARED = '/usr/bin/chromium-headless-shell';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * Options of each browser context. In the short suite pages show no animations: without a GPU an animation keeps a
 * processor busy for as long as its page is open.
 */
export const CALM: Pick<BrowserContextOptions, 'reducedMotion'> = {
  reducedMotion: sizeOfSuite({ short: 'reduce', full: 'no-preference' }),
};

/** The environment variable with the URL of the test run's {@link startChromiumServer}. */
export const CHROMIUM_SERVER = 'CHROMIUM_SERVER';

let opened: Promise<Browser> | undefined;

/** Returns the Chromium that all tests share. Outside a test run, only this process shares it. */
export function openChromium(): Promise<Browser> {
  opened ??= connectOrLaunch();
  return opened;
}

/** Closes the connection to the browser that {@link openChromium} has returned. */
export async function closeChromium(): Promise<void> {
  const browser = await opened?.catch(() => undefined);
  opened = undefined;
  await browser?.close();
}

/**
 * Launches the complete Chromium with more flags. Only the complete Chromium has a camera. The caller closes the
 * browser.
 */
export function launchWholeChromium(...flags: string[]): Promise<Browser> {
  return chromium.launch(optionsFor(WITH_WINDOWS, flags));
}

/** Runs an act in a browser whose user has switched cookies off. */
export async function withoutCookies(act: (context: BrowserContext) => Promise<void>): Promise<void> {
  const profile = mkdtempSync(join(tmpdir(), 'no-cookies-'));
  mkdirSync(join(profile, 'Default'));
  const settings = { profile: { default_content_setting_values: { cookies: BLOCK } } };
  writeFileSync(join(profile, 'Default', 'Preferences'), JSON.stringify(settings));
  const context = await chromium.launchPersistentContext(profile, optionsFor(WITH_WINDOWS, []));
  try {
    await act(context);
  } finally {
    await context.close();
    // A process of the browser may still write to its profile.
    await rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

/** The value of a content setting in Chromium's profile. */
const BLOCK = 2;

/** @throws Error that says what to install, if there is no Chromium */
export function launchOptions(): LaunchOptions {
  return optionsFor(SHARED, []);
}

function optionsFor(path: string, flags: readonly string[]): LaunchOptions {
  const executablePath = process.env.CHROMIUM_PATH ?? path;
  if (!existsSync(executablePath)) {
    throw new Error(`There is no Chromium at ${executablePath}: apt-get install chromium chromium-headless-shell`);
  }
  return { executablePath, args: [...FLAGS, ...flags] };
}

async function connectOrLaunch(): Promise<Browser> {
  const server = process.env[CHROMIUM_SERVER];
  const browser = await (server === undefined ? chromium.launch(launchOptions()) : connect(server));
  // After a crash, the next test opens a new browser.
  browser.once('disconnected', () => {
    opened = undefined;
  });
  return browser;
}

async function connect(server: string): Promise<Browser> {
  const answer = await fetch(server);
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return chromium.connect(text);
}
