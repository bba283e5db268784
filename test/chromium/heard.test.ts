import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { askToSignIn, seeScreen } from './acts.ts';
import { scanBeside } from './phones.ts';
import { useStage } from './use-stage.ts';

describe('whoever does not see the screen', () => {
  const stage = useStage({ assess: () => 'check code', deadlines: { decide: 31 } });

  it('hears of each change as it comes, and when half a minute is left', async () => {
    stage().expectProblem(/400/);
    const desktop = await stage().desktop();
    await desktop.clock.install();
    const screen = await askToSignIn(stage(), desktop);
    await listen(screen);
    // From here on the time in the page passes only as the test says, so that no second is left out.
    await screen.clock.pauseAt(Date.now() + 3_600_000);
    const phone = await scanBeside(stage(), screen);
    await hears(screen, 'Scanned. Now look at your phone');
    await screen.clock.runFor(2_000);
    await hears(screen, '30 seconds left');
    await phone.approve();
    await hears(screen, 'Type the code that your phone shows');
    await seeScreen(screen, 'check-code');
    await screen.getByLabel('Six digits').fill('1');
    await screen.keyboard.press('Enter');
    await screen.getByRole('alert').filter({ hasText: 'These are not the digits' }).waitFor();
    await screen.getByLabel('Six digits').fill(await phone.checkCode());
    await screen.keyboard.press('Enter');
    await screen.getByRole('button', { name: 'Allow' }).waitFor();
  });

  it('is told what the picture is, and what to do with it', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const code = screen.getByRole('img', { name: /Scan it with a phone that is signed in to Example ID/ });
    expect(await code.count()).to.equal(1);
  });

  it('is not made dizzy: where less motion is wanted, the ring jumps', async () => {
    for (const reducedMotion of ['reduce', 'no-preference'] as const) {
      const screen = await askToSignIn(stage(), await stage().desktop({ reducedMotion }));
      const duration = await screen.evaluate<string>(
        `getComputedStyle(document.querySelector('[data-left]')).transitionDuration`,
      );
      expect(duration).to.equal(reducedMotion === 'reduce' ? '0s' : '1s');
    }
  });
});

/** Notes what the page's live region says, each time that it does. */
function listen(page: Page): Promise<unknown> {
  return page.evaluate(`
    const region = document.querySelector('p[role=status]');
    new MutationObserver(() => {
      document.body.dataset.heard = (document.body.dataset.heard ?? '') + region.textContent + '; ';
    }).observe(region, { childList: true, subtree: true });
  `);
}

async function hears(page: Page, text: string): Promise<void> {
  await page.waitForSelector(`body[data-heard*=${JSON.stringify(text)}]`);
}
