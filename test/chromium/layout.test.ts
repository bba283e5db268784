import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { UNKNOWN_CODE } from '../support/codes.ts';
import { allOrFirst, inFullSuite, isFullSuite } from '../support/full-suite.ts';
import { approve, askToSignIn, checkCodeOn, codeOn, deny, fillInPasswordPage } from './acts.ts';
import { scan, signedInPhone } from './phones.ts';
import { readBadPicture, readQrCode, readScreen, ticketIn } from './qr-from-pixels.ts';
import { useStage } from './use-stage.ts';

const SCHEMES = ['dark', 'light'] as const;
/** The screens on which the QR page is read. Reading a large picture takes seconds. */
const LOOKS = SCHEMES.flatMap((colorScheme) =>
  [2, 1].flatMap((deviceScaleFactor) => [320, 1280].map((width) => ({ colorScheme, deviceScaleFactor, width }))),
);
const NARROW = { viewport: { width: 360, height: 740 } };

describe('the QR page', () => {
  const stage = useStage();

  for (const { colorScheme, deviceScaleFactor, width } of allOrFirst(LOOKS)) {
    it(`can be scanned from a ${colorScheme} screen of ${width} pixels at scale ${deviceScaleFactor}, even by a bad camera`, async () => {
      const look = { colorScheme, deviceScaleFactor, viewport: { width, height: 900 } };
      const screen = await askToSignIn(stage(), await stage().desktop(look));
      const { url, quietZoneIsWhite } = await readScreen(screen);
      expect(url).to.match(new RegExp(`^${stage().issuer}/qr/`));
      expect(quietZoneIsWhite).to.equal(true);
      await expectToFit(screen, width);
      const blurred = await readBadPicture(screen, 1.5 * deviceScaleFactor);
      expect(ticketIn(blurred ?? '')).to.equal(ticketIn(url));
    });
  }

  it('changes from light to dark with the system while it is open', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop({ colorScheme: 'light' }));
    const light = await ground(screen);
    await screen.emulateMedia({ colorScheme: 'dark' });
    expect(await ground(screen)).not.to.equal(light);
    expect((await readQrCode(screen)).quietZoneIsWhite).to.equal(true);
  });
});

describe('the pages of the phone on a narrow screen', () => {
  const stage = useStage({ assess: ({ request }) => (request.client.name === 'Demo app' ? 'check code' : 'allow') });

  // The short suite checks the width of each page in accessibility.test.ts, on a screen of 320 pixels.
  for (const colorScheme of isFullSuite ? SCHEMES : []) {
    it(`fit from the password page to the check code, ${colorScheme}`, async () => {
      const screen = await askToSignIn(stage(), await stage().desktop(NARROW));
      const phone = await stage().open(await stage().phone({ colorScheme }), await codeOn(screen));
      await phone.getByLabel('Password').waitFor();
      await expectToFit(phone, 360);
      await fillInPasswordPage(phone);
      await phone.getByRole('button', { name: 'Yes, sign in' }).waitFor();
      await expectToFit(phone, 360);
      await approve(phone);
      expect(await checkCodeOn(phone)).to.match(/^\d{6}$/);
      await expectToFit(phone, 360);
      await screen.getByLabel('6-digit number').waitFor();
      await expectToFit(screen, 360);
    });

    it(`fit on landing, denial and error, ${colorScheme}`, async () => {
      stage().expectProblem(/404/);
      const screen = await askToSignIn(stage(), await stage().desktop(NARROW));
      const context = await signedInPhone(stage(), { colorScheme });
      await deny(await scan(stage(), screen, context));
      const pages = context.pages();
      for (const page of pages) await expectToFit(page, 360);

      const wrong = await stage().open(context, `${stage().issuer}/qr/${UNKNOWN_CODE}`);
      await wrong.waitForSelector('[data-error]');
      await expectToFit(wrong, 360);

      const byHand = await signedInPhone(stage(), { colorScheme, javaScriptEnabled: false });
      const other = await askToSignIn(stage(), await stage().desktop());
      const landing = await stage().open(byHand, await codeOn(other));
      await landing.getByRole('button', { name: 'Continue' }).waitFor();
      await expectToFit(landing, 360);
    });
  }

  inFullSuite(() =>
    it('fit in Chinese', async () => {
      const inChinese = { locale: 'zh-CN' };
      const screen = await askToSignIn(stage(), await stage().desktop({ ...NARROW, ...inChinese }));
      expect(await screen.locator('html').getAttribute('lang')).to.equal('zh');
      await expectToFit(screen, 360);
      const phone = await stage().open(await signedInPhone(stage(), inChinese), await codeOn(screen));
      await phone.waitForSelector('button[value=approve]');
      await expectToFit(phone, 360);
    }),
  );

  it('have a decline button as large as the approve button, and next to it', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const phone = await scan(stage(), screen);
    const yes = await phone.getByRole('button', { name: 'Yes, sign in' }).boundingBox();
    const no = await phone.getByRole('button', { name: 'No, decline' }).boundingBox();
    expect(no?.width).to.equal(yes?.width);
    expect(no?.height).to.equal(yes?.height);
    expect(no?.height).to.be.at.least(48);
    expect(Math.abs((no?.x ?? 0) - (yes?.x ?? 0)) + Math.abs((no?.y ?? 0) - (yes?.y ?? 0))).to.be.lessThan(400);
  });
});

/** Expects that nothing is wider than the screen, so that the user need not scroll sideways. */
async function expectToFit(page: Page, width: number): Promise<void> {
  expect(await page.evaluate<number>('innerWidth'), 'the page was zoomed out').to.equal(width);
  expect(await page.evaluate<number>('document.documentElement.scrollWidth')).to.be.at.most(width);
}

function ground(page: Page): Promise<string> {
  return page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
}
