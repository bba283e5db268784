/** Records which lines of the pages' scripts have run, and writes the record for c8 as if Node had run them. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CDPSession, Page } from 'playwright-core';

/** Coverage in Node's format: one entry for each time that the counts of a script are read. */
type Entry = Awaited<ReturnType<Page['coverage']['stopJSCoverage']>>[number];

const BUILT = new URL('../../dist/client/', import.meta.url);

/** The folder in which c8 collects coverage; undefined if the run measures none. */
const folder = process.env.NODE_V8_COVERAGE;

const entries: Pick<Entry, 'scriptId' | 'url' | 'functions'>[] = [];
const sessions = new Map<Page, CDPSession>();

export async function startCoverage(page: Page): Promise<void> {
  if (!folder) return;
  const session = await page.context().newCDPSession(page);
  await session.send('Profiler.enable');
  await session.send('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  sessions.set(page, session);
  // Chromium discards the counts with the page, so the debugger pauses each page before it unloads.
  await page.addInitScript('addEventListener("beforeunload", () => { debugger; });');
  await session.send('Debugger.enable');
  session.on('Debugger.paused', () => {
    takeCoverage(page)
      .then(() => session.send('Debugger.resume'))
      .catch((error: Error) => {
        // A test may end, and close its page, while the page is navigating.
        if (!error.message.includes('has been closed')) throw error;
      });
  });
}

export async function takeCoverage(page: Page): Promise<void> {
  const taken = await sessions.get(page)?.send('Profiler.takePreciseCoverage');
  for (const { scriptId, url, functions } of taken?.result ?? []) {
    const name = /\/qr\/assets\/([\w-]+\.js)(\?|$)/.exec(url)?.[1];
    // The decoder in the same folder is not our code.
    if (name !== undefined && existsSync(new URL(name, BUILT)))
      entries.push({ scriptId, url: new URL(name, BUILT).href, functions });
  }
}

process.once('exit', () => {
  if (!folder || entries.length === 0) return;
  writeFileSync(join(folder, `coverage-${process.pid}-${Date.now()}-pages.json`), JSON.stringify({ result: entries }));
});
