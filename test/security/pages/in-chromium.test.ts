import { expect } from 'chai';
import type { BrowserContext, Response } from 'playwright-core';
import type { Verdict } from '../../../src/index.ts';
import {
  allow,
  approve,
  arriveAtConfirm,
  askToSignIn,
  checkCodeOn,
  codeOn,
  deny,
  otherThan,
  pressYes,
  seeCode,
  seeScreen,
} from '../../chromium/acts.ts';
import { scan, signedInPhone } from '../../chromium/phones.ts';
import type { Stage } from '../../chromium/stage.ts';
import { useStage } from '../../chromium/use-stage.ts';
import { deviceWithPasskey } from '../../chromium/virtual-passkey.ts';
import { UNKNOWN_CODE } from '../../support/codes.ts';
import { inFullSuite } from '../../support/full-suite.ts';
import { LOSSES } from './headers.ts';

const OURS = /^\/(interaction\/[\w-]+(\/qr(\/.*)?|\/consent|\/cancel)?|qr\/.+)$/;
const PLACE = { 'x-forwarded-for': '203.0.113.7' };

/**
 * Records the answers that all pages of these browsers load.
 * @returns a function that lists what the headers of these answers let an attacker do (`LOSSES`)
 */
function watching(stage: Stage, ...contexts: BrowserContext[]): () => Promise<string[]> {
  const seen: Response[] = [];
  for (const context of contexts) context.on('response', (response) => seen.push(response));
  return async () => {
    const open = await Promise.all(
      seen.map(async (response) => {
        const { origin, pathname } = new URL(response.url());
        const isOurs = origin === stage.issuer && OURS.test(pathname);
        const isPage = origin === stage.issuer && response.request().isNavigationRequest() && response.status() < 300;
        if (!isOurs && !isPage) return [];
        const headers = new Headers();
        for (const { name, value } of await response.headersArray())
          if (!/[\n]/.test(value)) headers.append(name, value);
        const head = { url: response.url(), status: response.status(), headers };
        return LOSSES.filter(({ isOpen }) => isOpen(head)).map(
          ({ name }) => `${head.status} ${pathname.replace(/[\w-]{20,}/, ':id')}: ${name}`,
        );
      }),
    );
    return [...new Set(open.flat())].sort();
  };
}

describe('every page in Chromium', () => {
  let verdict: Verdict = 'check code';
  const stage = useStage(
    { assess: () => verdict, locate: () => ({ city: 'Berlin', country: 'DE' }) },
    { proxy: true, passkeys: true },
  );

  beforeEach(() => {
    verdict = 'check code';
  });

  it('keeps to its Content-Security-Policy from the QR page to the consent page, and has every header', async () => {
    stage().expectProblem(/403 \(Forbidden\).*finish/);
    const desktop = await stage().desktop({ extraHTTPHeaders: PLACE });
    const phone = await signedInPhone(stage());
    const open = watching(stage(), desktop, phone);
    const screen = await askToSignIn(stage(), desktop);
    // Open the landing page in the short suite and in the full one.
    const hand = await stage().open(phone, await codeOn(screen));
    await hand.getByText('Berlin, Germany').waitFor();
    await seeScreen(screen, 'scanned');
    await approve(hand);
    await seeScreen(screen, 'check-code');
    const digits = await checkCodeOn(hand);
    await screen.getByLabel('6-digit number').fill(otherThan(digits));
    await screen.getByRole('alert').filter({ hasText: 'not the number' }).waitFor();
    await screen.getByLabel('6-digit number').fill(digits);
    await allow(screen);
    await hand.reload();
    await hand.getByRole('heading', { name: 'Signed in' }).waitFor();
    expect((await open()).filter((line) => !/\/password|\/account/.test(line))).to.deep.equal([]);
  });

  inFullSuite(() =>
    it('keeps to its Content-Security-Policy if a sign-in is denied, reported, refused, expired, cancelled or gone', async () => {
      verdict = 'allow';
      stage().expectProblem(/callback\?error=access_denied|404 \(Not Found\)|410 \(Gone\)/);
      const desktop = await stage().desktop();
      const phone = await signedInPhone(stage());
      const open = watching(stage(), desktop, phone);
      const screen = await askToSignIn(stage(), desktop);
      await deny(await scan(stage(), screen, phone));
      await screen.waitForURL(`${stage().rpUrl}/**`);
      verdict = 'deny';
      const refused = await askToSignIn(stage(), desktop);
      const hand = await stage().open(phone, await codeOn(refused));
      await hand.getByRole('heading', { name: 'Refused for your safety' }).waitFor();
      verdict = 'allow';
      const expiring = await askToSignIn(stage(), desktop);
      const late = await scan(stage(), expiring, phone);
      const at = expiring.url();
      stage().clock.forward(130);
      await late.locator('[data-error]').waitFor();
      const reported = await scan(stage(), await askToSignIn(stage(), desktop), phone);
      await reported.getByRole('button', { name: 'I did not start this' }).click();
      await reported.getByRole('heading', { name: 'Declined and reported' }).waitFor();
      await expiring.goto(at);
      await seeCode(expiring);
      await expiring.getByRole('button', { name: 'Cancel and go back' }).click();
      await expiring.waitForURL(`${stage().rpUrl}/**`);
      await expiring.goto(at);
      await expiring.locator('[data-error=no_interaction]').waitFor();
      expect(await open()).to.deep.equal([]);
    }),
  );

  inFullSuite(() =>
    it('keeps to its Content-Security-Policy with an error', async () => {
      stage().expectProblem(/40[0-9]/);
      const phone = await signedInPhone(stage());
      const desktop = await stage().desktop();
      const open = watching(stage(), phone, desktop);
      const screen = await askToSignIn(stage(), desktop);
      const page = await stage().open(phone);
      for (const [path, error] of [
        [`/qr/${UNKNOWN_CODE}`, 'not_found'],
        ['/qr/tickets/none', 'not_found'],
        ['/qr/assets/none', 'not_found'],
        [new URL(screen.url()).pathname, 'no_interaction'],
      ] as const) {
        await page.goto(stage().issuer + path);
        expect(await page.locator('[data-error]').getAttribute('data-error')).to.equal(error);
      }
      const hand = await scan(stage(), screen, phone);
      await hand.evaluate(`document.querySelector('[name=csrf]').value = ''`);
      await pressYes(hand);
      await hand.locator('[data-error=invalid_csrf]').waitFor();
      expect(await open()).to.deep.equal([]);
    }),
  );

  inFullSuite(() =>
    it('keeps to its Content-Security-Policy with a passkey', async () => {
      const phone = await stage().phone();
      const { page } = await deviceWithPasskey(stage(), phone);
      const desktop = await stage().desktop();
      const open = watching(stage(), phone, desktop);
      const screen = await askToSignIn(stage(), desktop);
      await page.goto(await codeOn(screen));
      await arriveAtConfirm(page);
      await page.getByText('Your phone will ask for your passkey').waitFor();
      await pressYes(page);
      await page.waitForSelector('.check-code');
      expect(await open()).to.deep.equal([]);
    }),
  );

  it("leads to the provider's own pages for signing out, which load a font from another site", async () => {
    stage().expectProblem(/fonts\.googleapis\.com/);
    const page = await stage().open(await signedInPhone(stage()), `${stage().issuer}/session/end`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(/session\/end\/success/);
    await page.getByText('Sign-out Success').waitFor();
  });
});
