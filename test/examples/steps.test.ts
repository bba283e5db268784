import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { assessByDefault } from '../../src/index.ts';
import { arriveAtConfirm, checkCodeOn, claimsOn, codeOn, seeCode, seeScreen, waitForYes } from '../chromium/acts.ts';
import { signedInPhone } from '../chromium/phones.ts';
import type { Stage } from '../chromium/stage.ts';
import { useStage } from '../chromium/use-stage.ts';
import { allOrFirst } from '../support/full-suite.ts';
import { EXAMPLE } from './example-setting.ts';

/** The number of clicks or taps, and of pressed keys, of a user in a browser. */
interface Steps {
  clicks: number;
  keys: number;
}

/** Counts the acts of a user in a browser, on all its pages. */
async function countSteps(context: BrowserContext): Promise<Steps> {
  const steps: Steps = { clicks: 0, keys: 0 };
  await context.exposeBinding('noteStep', (_source, kind: keyof Steps) => {
    steps[kind] += 1;
  });
  await context.addInitScript(`
    // A key that submits a form also clicks its button, but only the click of a pointer has a detail above 0.
    addEventListener('click', (event) => event.isTrusted && event.detail > 0 && noteStep('clicks'), true);
    addEventListener('keydown', (event) => event.isTrusted && noteStep('keys'), true);`);
  return steps;
}

describe('the steps of a sign-in at the example', () => {
  const stage = useStage({ assess: assessByDefault }, {}, EXAMPLE);

  for (const viewport of allOrFirst([
    { width: 1366, height: 650 },
    { width: 360, height: 640 },
  ])) {
    it(`are one click, one scan and one tap in a known browser, and also six digits in another one, at ${viewport.width} px`, async () => {
      const desktop = await stage().desktop({ viewport });
      const phone = await signedInPhone(stage());
      const [here, there] = [await countSteps(desktop), await countSteps(phone)];

      const screen = await stage().open(desktop, stage().rpUrl);
      const hand = await signIn(stage(), screen, phone, { trust: true });
      const digits = await checkCodeOn(hand);
      expect(digits).to.match(/^\d{6}$/);
      await seeScreen(screen, 'check-code');
      // The field has the focus, and the sixth digit sends the form.
      await screen.keyboard.type(digits);
      expect((await claimsOn(screen)).sub).to.equal('a11ce');
      expect(here).to.deep.equal({ clicks: 1, keys: 6 });
      // One tap ticks "Keep me signed in on that device", which makes the browser known.
      expect(there).to.deep.equal({ clicks: 2, keys: 0 });

      await desktop.clearCookies({ name: /^(_session|demo_rp)/ });
      Object.assign(here, { clicks: 0, keys: 0 });
      Object.assign(there, { clicks: 0, keys: 0 });
      await screen.goto(stage().rpUrl);
      await signIn(stage(), screen, phone);
      expect((await claimsOn(screen)).sub).to.equal('a11ce');
      expect([here, there]).to.deep.equal([
        { clicks: 1, keys: 0 },
        { clicks: 1, keys: 0 },
      ]);
    });
  }
});

/** Signs in from the app's page up to Approve. @returns the page of the phone */
async function signIn(stage: Stage, screen: Page, phone: BrowserContext, { trust = false } = {}): Promise<Page> {
  await screen.getByRole('link', { name: 'Sign in' }).click();
  await seeCode(screen);
  const hand = await stage.open(phone, await codeOn(screen));
  await arriveAtConfirm(hand);
  if (trust) await hand.locator('input[name=remember]').click();
  await waitForYes(hand);
  await hand.locator('button[value=approve]').click();
  await hand.waitForSelector('.mark-yes, .check-code');
  return hand;
}
