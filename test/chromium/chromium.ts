/** Debian's Chromium, one for all that need it. Whoever opens it closes it. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PATH = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let opened: Promise<Browser> | undefined;

export function openChromium(): Promise<Browser> {
  opened ??= launchChromium();
  return opened;
}

export async function closeChromium(): Promise<void> {
  // One that could not be opened has been complained of already.
  const browser = await opened?.catch(() => undefined);
  opened = undefined;
  await browser?.close();
}

/** One with more flags, for tests that need a browser of their own. Whoever launches it closes it. */
export async function launchChromium(...flags: string[]): Promise<Browser> {
  if (!existsSync(PATH)) throw new Error(`There is no Chromium at ${PATH}: apt-get install chromium`);
  return chromium.launch({ executablePath: PATH, args: [...FLAGS, ...flags] });
}
