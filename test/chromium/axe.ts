/** What axe complains of: all that it knows, best practices included, with WCAG 2.2 AA as the floor. */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

/** A script that a context must add to its pages. */
export const AXE: string = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

export const LANGUAGES: readonly string[] = readdirSync(new URL('../../views/locales/', import.meta.url)).map((file) =>
  basename(file, '.json'),
);

/** @param rules those alone, where there are any. @returns what is wrong, and where */
export async function barriers(page: Page, ...rules: readonly string[]): Promise<string[]> {
  const options = { resultTypes: ['violations'], ...(rules.length > 0 && { runOnly: rules }) };
  const { violations } = await page.evaluate<AxeResults>(`axe.run(${JSON.stringify(options)})`);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`),
  );
}
