import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { askToSignIn } from './acts.ts';
import { readScreen, ticketIn } from './qr-from-pixels.ts';
import { Stage } from './stage.ts';

const THEMES: Readonly<Record<string, string | undefined>> = {
  'our own look': undefined,
  'a theme of the deployment': ':root { --ground: rgb(1, 2, 3) }',
};

describe('the first code', () => {
  for (const [look, theme] of Object.entries(THEMES)) {
    for (const javaScriptEnabled of [true, false]) {
      it(`is painted from the HTML alone, with ${look}, ${javaScriptEnabled ? 'with' : 'without'} scripts`, () =>
        during(theme, async (stage) => {
          stage.expectProblem(/ERR_FAILED|violates|Failed to load/);
          const desktop = await stage.desktop({ javaScriptEnabled, viewport: { width: 1366, height: 650 } });
          await desktop.route(/\/qr\/|icon/, (route) => route.abort());
          const screen = await askToSignIn(stage, desktop);
          const { url, quietZoneIsWhite } = await readScreen(screen);
          expect(ticketIn(url)).not.to.equal('');
          expect(quietZoneIsWhite).to.equal(true);
          const ground = await screen.locator('body').evaluate('getComputedStyle(document.body).backgroundColor');
          expect(ground).to.equal(theme === undefined ? 'rgb(242, 244, 247)' : 'rgb(1, 2, 3)');
          expect(await screen.locator('main').boundingBox())
            .to.have.property('width')
            .within(700, 850);
        }));
    }
  }

  it('is painted before any other request of the page is answered, because none of them blocks rendering', () =>
    during(undefined, async (stage) => {
      const screen = await askToSignIn(stage, await stage.desktop());
      await screen.waitForLoadState('load');
      const statuses = await screen.evaluate<string[][]>(
        `performance.getEntriesByType('resource').map(({ name, renderBlockingStatus }) => [name, renderBlockingStatus])`,
      );
      expect(statuses.map(([name]) => name).join()).to.include('browser.js');
      expect(statuses.filter(([, status]) => status !== 'non-blocking')).to.deep.equal([]);
    }));
});

/** Runs `act` on a separate stage. @param theme the style sheet of the deployment */
async function during(theme: string | undefined, act: (stage: Stage) => Promise<void>): Promise<void> {
  const folder = theme === undefined ? undefined : writeTheme(theme);
  const stage = await Stage.set(folder === undefined ? {} : { views: folder });
  try {
    await act(stage);
    expect(stage.problems).to.deep.equal([]);
  } finally {
    await stage.strike();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  }
}

/** Writes a folder of views with a style sheet. */
function writeTheme(css: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'views-'));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'assets/theme.css'), css);
  return folder;
}
