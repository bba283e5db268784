/** Runs axe with all its rules, which are those of WCAG 2.2 AA and more, best practices included. */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

/** The path of axe. A context must add this script to its pages. */
export const AXE: string = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

export const LANGUAGES: readonly string[] = readdirSync(new URL('../../views/locales/', import.meta.url)).map((file) =>
  basename(file, '.json'),
);

/**
 * Runs axe on a page.
 * @param rules the only rules to run; all by default.
 * @returns the violations, with their elements
 */
export async function barriers(page: Page, ...rules: readonly string[]): Promise<string[]> {
  const options = { resultTypes: ['violations'], ...(rules.length > 0 && { runOnly: rules }) };
  const { violations } = await page.evaluate<AxeResults>(`axe.run(${JSON.stringify(options)})`);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`),
  );
}
