import { expect } from 'chai';
import { withoutCookies } from './chromium.ts';
import { useStage } from './use-stage.ts';

describe('a browser with cookies switched off', () => {
  const stage = useStage();

  it('shows on the computer and on the phone that cookies are off, not that the sign-in has timed out', async () => {
    await withoutCookies(async (context) => {
      for (const start of [`${stage().rpUrl}/login`, `${stage().issuer}/qr/scan`]) {
        const page = await context.newPage();
        const answer = await page.goto(start);
        expect(answer?.status(), start).to.equal(404);
        const said = await page.locator('[data-error=no_interaction]').textContent();
        expect(said, start).to.include('This page needs cookies');
      }
    });
  });
});
