import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { askToSignIn, seeScreen } from './acts.ts';
import { scanBeside } from './phones.ts';
import { useStage } from './use-stage.ts';

describe('a user of a screen reader or of reduced motion', () => {
  const stage = useStage({ assess: () => 'check code', deadlines: { decide: 31 } });

  it('hears each change as it happens, and a notice when 30 seconds are left', async () => {
    const desktop = await stage().desktop();
    await desktop.clock.install();
    const screen = await askToSignIn(stage(), desktop);
    await listen(screen);
    // From here on, only the test moves the page's clock, so that no second is skipped.
    await screen.clock.pauseAt(Date.now() + 3_600_000);
    const phone = await scanBeside(stage(), screen);
    await waitUntilHeard(screen, 'Scanned by ');
    await screen.clock.runFor(2_000);
    await waitUntilHeard(screen, '30 seconds left');
    await phone.approve();
    await waitUntilHeard(screen, 'Type the number from your phone');
    await seeScreen(screen, 'check-code');
    await screen.getByLabel('6-digit number').fill('1');
    await screen.keyboard.press('Enter');
    await screen.getByRole('alert').filter({ hasText: 'Type all six digits.' }).waitFor();
    await screen.getByLabel('6-digit number').fill(await phone.checkCode());
    await screen.keyboard.press('Enter');
    await screen.getByRole('button', { name: 'Allow' }).waitFor();
  });

  it('hears a description of the picture and how to use it', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const code = screen.getByRole('img', { name: /Scan it with a phone that is signed in to Example ID/ });
    expect(await code.count()).to.equal(1);
  });

  it('sees no animated ring if the system asks for less motion', async () => {
    for (const reducedMotion of ['reduce', 'no-preference'] as const) {
      const screen = await askToSignIn(stage(), await stage().desktop({ reducedMotion }));
      const duration = await screen.evaluate<string>(
        `getComputedStyle(document.querySelector('[data-left]')).transitionDuration`,
      );
      expect(duration).to.equal(reducedMotion === 'reduce' ? '0s' : '1s');
    }
  });
});

/** Records each text of the page's live region. */
function listen(page: Page): Promise<unknown> {
  return page.evaluate(`
    const region = document.querySelector('p[role=status]');
    new MutationObserver(() => {
      document.body.dataset.heard = (document.body.dataset.heard ?? '') + region.textContent + '; ';
    }).observe(region, { childList: true, subtree: true });
  `);
}

async function waitUntilHeard(page: Page, text: string): Promise<void> {
  await page.waitForSelector(`body[data-heard*=${JSON.stringify(text)}]`);
}
