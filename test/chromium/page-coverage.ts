/** Notes which lines of the pages' scripts ran, and hands that to c8 as if Node had run them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

const BUILT = new URL('../../dist/client/', import.meta.url);

type Entry = Awaited<ReturnType<Page['coverage']['stopJSCoverage']>>[number];

const entries: Entry[] = [];

/** Where c8 collects; undefined where nobody wants to know. */
const target = process.env.NODE_V8_COVERAGE;

export async function startCoverage(page: Page): Promise<void> {
  if (target) await page.coverage.startJSCoverage({ resetOnNavigation: false });
}

export async function stopCoverage(page: Page): Promise<void> {
  if (target) entries.push(...(await page.coverage.stopJSCoverage()));
}

/** Node's format: one entry for each time that a script was loaded. */
export function writeCoverage(): void {
  if (!target) return;
  const result = entries.flatMap(({ url, scriptId, functions }) => {
    const name = /\/qr\/assets\/([\w-]+\.js)(\?|$)/.exec(url)?.[1];
    return name === undefined ? [] : [{ scriptId, url: new URL(name, BUILT).href, functions }];
  });
  writeFileSync(join(target, `coverage-${process.pid}-${Date.now()}-pages.json`), JSON.stringify({ result }));
}
