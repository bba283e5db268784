/** Debian's Chromium. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type LaunchOptions } from 'playwright-core';
import { sizeOfSuite } from '../support/full-suite.ts';

const WITH_WINDOWS = '/usr/bin/chromium';
/** The same engine without windows, which takes half the time. */
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

/** Returns the Chromium that all tests share, or, outside a test run, one that this process shares. */
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
 * Launches a browser with more flags, and with a camera, which only the whole of Chromium has. The caller closes it.
 */
export function launchWholeChromium(...flags: string[]): Promise<Browser> {
  return chromium.launch(optionsFor(WITH_WINDOWS, flags));
}

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
  // After a crash the next test opens another one.
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
