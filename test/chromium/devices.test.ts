import { expect } from 'chai';
import { allow, approve, askToSignIn, seeCode } from './acts.ts';
import { scan, signedInPhone } from './phones.ts';
import { useStage } from './use-stage.ts';

describe('the list of browsers on the phone', () => {
  const stage = useStage();

  it('signs the other browser out, and the app there asks for a new sign-in with a new code', async () => {
    const phone = await signedInPhone(stage());
    const screen = await askToSignIn(stage(), await stage().desktop());
    const confirm = await scan(stage(), screen, phone);
    await approve(confirm);
    await allow(screen);

    const page = await stage().open(phone, `${stage().issuer}/account`);
    await page.getByRole('link', { name: 'Where else you are signed in' }).click();
    const browser = page.getByRole('group', { name: 'Chrome on Linux' });
    expect((await browser.locator('dl').allInnerTexts()).join().replace(/\s+/g, ' ')).to.match(
      /^Signed in (now|\d+ seconds? ago) with a QR code Last used (now|\d+ seconds? ago) Signed out in 13 days Apps Demo app/,
    );
    const button = page.getByRole('button', { name: 'Sign out: Chrome on Linux' });
    expect((await button.boundingBox())?.height).to.be.at.least(44);
    await button.click();
    await page.getByRole('status').getByText('That browser is signed out.').waitFor();
    expect(await page.getByText('No other browser is signed in right now.').count()).to.equal(1);

    await screen.goto(stage().rpUrl);
    await screen.getByRole('link', { name: 'Sign in' }).click();
    await seeCode(screen);
    // The phone itself stays signed in.
    await page.goto(`${stage().issuer}/account`);
    await page.getByRole('heading', { name: 'Hello Alice Liddell' }).waitFor();
  });
});

describe('the time for which a browser stays signed in', () => {
  const stage = useStage({ durations: ['session', '8h', '30d'] });

  it('can be chosen before Approve, on a small phone, and changed on the list', async () => {
    const small = { viewport: { width: 360, height: 640 } };
    const phone = await signedInPhone(stage(), small);
    const screen = await askToSignIn(stage(), await stage().desktop());
    const confirm = await scan(stage(), screen, phone);
    const choice = confirm.getByLabel('Stay signed in there');
    expect(await choice.locator('option').allInnerTexts()).to.deep.equal([
      'until the browser is closed',
      '8 hours',
      '30 days',
    ]);
    expect((await choice.boundingBox())?.height).to.be.at.least(44);
    await choice.selectOption('8h');
    await approve(confirm);
    await allow(screen);

    const page = await stage().open(phone, `${stage().issuer}/qr/devices`);
    const browser = page.getByRole('group', { name: 'Chrome on Linux' });
    await browser.getByText(/in [78] hours/).waitFor();
    await browser.locator('summary', { hasText: 'Change how long' }).click();
    const change = browser.getByLabel('Stay signed in there');
    expect(await change.inputValue()).to.equal('8h');
    await change.selectOption('session');
    await browser.getByRole('button', { name: 'Save' }).last().click();
    await browser.getByText('or when the browser is closed').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).to.be.at.most(360);
  });
});
