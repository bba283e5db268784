/** Serves the screens of the app with sample data, and with the headers of the app's own server. */
import type { Page } from 'playwright-core';
import { buildApp, bundleScripts } from '../../../examples/app/build.ts';
import { makeApp } from '../../../examples/app/server.ts';
import { type RunningServer, serve } from '../../support/server.ts';

/** The preview sends no request to the provider. */
const SETTINGS = { issuer: 'https://id.example.com', clientId: 'app', provider: 'Example ID' };

export async function openPreview(): Promise<RunningServer> {
  const scripts = await bundleScripts(['page/preview.ts']);
  const build = async (): Promise<Map<string, string | Buffer>> => {
    const files = new Map([...(await buildApp(SETTINGS)), ...scripts]);
    return files.set('/', `${files.get('/')}`.replace('/main.js', '/preview.js'));
  };
  return serve(() => ({ app: makeApp(SETTINGS.issuer, build) }));
}

/** Returns the names of all screens, from the preview's list of links. */
export async function screensIn(page: Page, preview: RunningServer): Promise<string[]> {
  await page.goto(preview.origin);
  await page.locator('li a').first().waitFor();
  return page.locator('li a').allInnerTexts();
}

/** Returns the path of a screen in the preview. */
export function pathOf(sample: string, language: string = 'en'): string {
  return `/?${new URLSearchParams({ sample, language })}`;
}
