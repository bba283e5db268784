import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { allow, approve, askToSignIn, checkCodeOn, otherThan, seeCode, seeScreen } from './acts.ts';
import { type ScannedPhone, scan, scanBeside } from './phones.ts';
import type { Stage } from './stage.ts';
import { useStage } from './use-stage.ts';

describe('the check code of a browser whose address changes before it finishes', () => {
  const stage = useStage({ assess: () => 'allow' }, { proxy: true });

  it('is demanded when the browser finishes, and is then shown on the phone', async () => {
    stage().expectProblem(/400/);
    const desktop = await stage().desktop({ extraHTTPHeaders: { 'x-forwarded-for': '203.0.113.7' } });
    const screen = await askToSignIn(stage(), desktop);
    const phone = await scan(stage(), screen);
    await desktop.setExtraHTTPHeaders({ 'x-forwarded-for': '203.0.113.8' });
    await approve(phone);
    await seeScreen(screen, 'check-code');
    expect(await screen.getByRole('alert').allInnerTexts()).to.deep.equal(['']);
    await phone.locator('.check-code').waitFor();
    await type(screen, await checkCodeOn(phone));
    expect((await allow(screen)).sub).to.equal('a11ce');
  });
});

describe('the check code in a real browser', () => {
  const stage = useStage({ assess: () => 'check code' });

  it('is shown by the phone and typed into the browser, which asks again after wrong digits', async () => {
    stage().expectProblem(/403/);
    const screen = await askToSignIn(stage(), await stage().desktop());
    const phone = await scan(stage(), screen);
    await approve(phone);
    await seeScreen(screen, 'check-code');
    const digits = await checkCodeOn(phone);
    expect(digits).to.match(/^\d{6}$/);
    expect(await isFocused(screen)).to.equal(true);

    await type(screen, otherThan(digits));
    await screen.getByRole('alert').filter({ hasText: 'That is not the number on your phone' }).waitFor();
    expect(await field(screen).inputValue()).to.equal('');
    expect(await isFocused(screen)).to.equal(true);

    // Type a space between the groups, as the phone shows the digits.
    await type(screen, `${digits.slice(0, 3)} ${digits.slice(3)}`);
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  it('is filled in if an app on the same device returns to the page with the digits in the address', async () => {
    const desktop = await stage().desktop();
    const screen = await askToSignIn(stage(), desktop);
    const phone = await scan(stage(), screen);
    await approve(phone);
    await seeScreen(screen, 'check-code');
    const digits = await checkCodeOn(phone);
    const back = await stage().open(desktop, `${screen.url()}#${digits}`);
    await screen.close();
    expect(await field(back).inputValue()).to.equal(`${digits.slice(0, 3)} ${digits.slice(3)}`);
    await back.getByRole('button', { name: 'Continue' }).click();
    expect((await allow(back)).sub).to.equal('a11ce');
  });

  it('is grouped as on the phone while it is typed, in ASCII or full-width digits, and is sent without Continue', async () => {
    const { screen, phone } = await scanAndApprove(stage());
    const goOn = screen.getByRole('button', { name: 'Continue' });
    expect(await goOn.isVisible()).to.equal(false);
    await screen.getByText('Type it in this window only').waitFor();
    const digits = await phone.checkCode();
    await screen.keyboard.type(digits.slice(0, 3));
    expect(await field(screen).inputValue()).to.equal(digits.slice(0, 3));
    await screen.keyboard.type(fullWidth(digits.slice(3, 5)));
    expect(await field(screen).inputValue()).to.equal(`${digits.slice(0, 3)} ${digits.slice(3, 5)}`);
    await screen.keyboard.press('Backspace');
    await screen.keyboard.press('Backspace');
    expect(await field(screen).inputValue()).to.equal(digits.slice(0, 3));
    await screen.keyboard.type(`\u3000${fullWidth(digits.slice(3))}`);
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  it('is sent by Continue if the answer to the last digit was lost', async () => {
    stage().expectProblem(/ERR_FAILED/);
    const { screen, phone } = await scanAndApprove(stage());
    await screen.route(/\/qr\/finish$/, (route) => route.abort(), { times: 1 });
    await type(screen, await phone.checkCode());
    await screen.getByRole('alert').filter({ hasText: 'Press Continue again' }).waitFor();
    await screen.getByRole('button', { name: 'Continue' }).click();
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  it('counts as one try if it is wrong and the answer is lost, because the page does not send it again', async () => {
    stage().expectProblem(/403|ERR_FAILED/);
    const desktop = await stage().desktop();
    await desktop.clock.install();
    const { screen, phone } = await scanAndApprove(stage(), desktop);
    const digits = await phone.checkCode();
    let sent = 0;
    await screen.route(/\/qr\/finish$/, async (route) => {
      sent += 1;
      await route.fetch();
      await route.abort();
    });
    await type(screen, otherThan(digits));
    await screen.getByRole('alert').filter({ hasText: 'There was no answer' }).waitFor();
    await screen.clock.runFor(10_000);
    expect(sent).to.equal(1);

    await screen.unroute(/\/qr\/finish$/);
    const refused = screen.waitForResponse(/\/qr\/finish$/);
    await type(screen, otherThan(digits));
    expect((await (await refused).json()).error_description).to.include('Tries left: 1');
    await type(screen, digits);
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  it('signs in if it is right and the answer is lost', async () => {
    stage().expectProblem(/ERR_FAILED/);
    const { screen, phone } = await scanAndApprove(stage());
    let lost = false;
    await screen.route(/\/qr\/finish$/, async (route) => {
      if (lost) return route.continue();
      lost = true;
      await route.fetch();
      return route.abort();
    });
    await type(screen, await phone.checkCode());
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  it('ends the sign-in after three wrong tries, and a new QR code starts it again', async () => {
    stage().expectProblem(/403/);
    const { screen, phone } = await scanAndApprove(stage());
    const wrong = otherThan(await phone.checkCode());
    for (let tries = 1; tries <= 3; tries++) {
      const answer = screen.waitForResponse(/\/qr\/finish$/);
      await type(screen, wrong);
      expect((await answer).status()).to.equal(403);
    }
    await seeScreen(screen, 'wrong-codes');
    await screen.getByRole('heading', { name: 'The number was wrong' }).waitFor();
    expect(await field(screen).isVisible()).to.equal(false);

    await screen.getByRole('button', { name: 'Show a new QR code' }).click();
    await seeScreen(screen, 'waiting');
    await seeCode(screen);
    const again = await scanBeside(stage(), screen);
    await again.approve();
    await seeScreen(screen, 'check-code');
    await type(screen, await again.checkCode());
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  it('is still shown by the phone and asked for by the browser after both reload their pages', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const phone = await scan(stage(), screen);
    await approve(phone);
    await seeScreen(screen, 'check-code');
    const digits = await checkCodeOn(phone);
    await phone.reload();
    expect(await checkCodeOn(phone)).to.equal(digits);
    await screen.reload();
    await seeScreen(screen, 'check-code');
    expect(await field(screen).isVisible()).to.equal(true);
    await type(screen, digits);
    expect((await allow(screen)).sub).to.equal('a11ce');
  });
});

async function scanAndApprove(stage: Stage, desktop?: BrowserContext): Promise<{ screen: Page; phone: ScannedPhone }> {
  const screen = await askToSignIn(stage, desktop ?? (await stage.desktop()));
  const phone = await scanBeside(stage, screen);
  await phone.approve();
  await seeScreen(screen, 'check-code');
  return { screen, phone };
}

function field(screen: Page): ReturnType<Page['getByLabel']> {
  return screen.getByLabel('6-digit number');
}

/** Returns the digits in full width, as a keyboard for Chinese or Japanese types them. */
function fullWidth(digits: string): string {
  return digits.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit)));
}

/** Types the digits. The last one sends them. */
async function type(screen: Page, digits: string): Promise<void> {
  await field(screen).fill(digits);
}

function isFocused(screen: Page): Promise<boolean> {
  return screen.evaluate<boolean>(`document.activeElement?.id === 'check-code'`);
}
